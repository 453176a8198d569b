import { describe, expect, it } from 'vitest';
import { createEventEnvelope, deriveEventId, toTraceId } from './create-envelope.ts';

let made = 0;
const deps = {
  clock: { now: () => Date.UTC(2026, 0, 31, 12) },
  random: {
    uuid: () => {
      made += 1;
      return `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
    },
  },
};
const draft = { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: null };

describe('createEventEnvelope', () => {
  it('begins a chain: its own cause, correlation and trace', () => {
    const first = createEventEnvelope(deps, draft);
    expect(first.eventId).toMatch(/^evt-[0-9a-f-]{36}$/);
    expect(first).toMatchObject({ causationId: first.eventId, correlationId: first.eventId, causationDepth: 0 });
    expect(toTraceId(first.traceId)).toBe(first.traceId);
    expect(first.occurredAt).toBe('2026-01-31T12:00:00.000Z');
  });

  it('goes on with the trace, the correlation and the place of its cause', () => {
    const cause = createEventEnvelope(deps, {
      ...draft,
      environmentId: 'prod',
      correlationId: 'dep-1',
      traceId: 't-1',
    });
    const { tenantId: _, ...withoutTenant } = draft;
    const next = createEventEnvelope(deps, { ...withoutTenant, cause });
    expect(next).toMatchObject({
      tenantId: 'acme',
      environmentId: 'prod',
      correlationId: 'dep-1',
      traceId: 't-1',
      causationId: cause.eventId,
      causationDepth: 1,
    });
    expect(createEventEnvelope(deps, { ...draft, cause: next }).causationDepth).toBe(2);
  });

  it('is no event without a tenant', () => {
    const { tenantId: _, ...withoutTenant } = draft;
    expect(() => createEventEnvelope(deps, withoutTenant)).toThrow(/tenantId: it is missing/);
  });
});

describe('deriveEventId', () => {
  it('is the same for the same parts, and another for others, however they are cut', () => {
    expect(deriveEventId('a', 'b')).toBe(deriveEventId('a', 'b'));
    expect(deriveEventId('a', 'b')).toMatch(/^evt-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set([deriveEventId('ab'), deriveEventId('a', 'b'), deriveEventId('', 'ab')]).size).toBe(3);
  });
});

describe('toTraceId', () => {
  it('keeps 32 hexadecimal digits and hashes anything else, always to the same', () => {
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    expect(toTraceId(id)).toBe(id);
    expect(toTraceId(id.toUpperCase())).toBe(id);
    expect(toTraceId('trc-7')).toMatch(/^[0-9a-f]{32}$/);
    expect(toTraceId('trc-7')).toBe(toTraceId('trc-7'));
    expect(toTraceId('0'.repeat(32))).not.toBe('0'.repeat(32));
  });
});
