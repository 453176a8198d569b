import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeLimits, type JsonValue } from './event-envelope.ts';
import { decodeEventEnvelope, encodeEventEnvelope, parseEventEnvelope } from './parse-envelope.ts';
import { anyEnvelope } from './testing/any-envelope.ts';

const good = {
  eventId: 'evt-1',
  eventType: 'RuntimeDeploymentRequested',
  tenantId: 'acme',
  traceId: 'trace',
  correlationId: 'correlation',
  occurredAt: '2026-01-31T12:00:00.000Z',
  source: 'switchyard/cli',
  payload: { a: 1 },
};

function faultsOf(changes: object): string {
  const parsing = parseEventEnvelope({ ...good, ...changes });
  return parsing.kind === 'invalid' ? parsing.message : 'valid';
}

describe('parseEventEnvelope', () => {
  it('reads an envelope and decides what may be left out', () => {
    expect(parseEventEnvelope(good)).toEqual({
      kind: 'envelope',
      envelope: { ...good, causationId: 'evt-1', causationDepth: 0, schemaVersion: 1 },
    });
  });

  it('keeps what it does not know', () => {
    const parsing = parseEventEnvelope(JSON.parse(JSON.stringify({ ...good, later: { x: [1] } })));
    expect(parsing).toMatchObject({ kind: 'envelope', envelope: { extensions: { later: { x: [1] } } } });
  });

  it('writes every time as UTC', () => {
    const parsing = parseEventEnvelope({ ...good, occurredAt: '2026-01-31T14:30:00.5+02:30' });
    expect(parsing).toMatchObject({ envelope: { occurredAt: '2026-01-31T12:00:00.500Z' } });
  });

  it.each([
    [{ eventId: undefined }, 'eventId: it is missing'],
    [{ eventId: '' }, 'eventId: it is empty, and must be a text'],
    [{ eventId: 7 }, 'eventId: it is 7, and must be a text'],
    [{ tenantId: 'x'.repeat(257) }, 'tenantId: it has 257 characters, and 256 are the most'],
    [{ tenantId: 'a\nb' }, 'tenantId: it has characters that cannot be printed; leave them out'],
    [{ traceId: '\ud800' }, 'traceId: it has characters that cannot be printed; leave them out'],
    [{ eventType: 'Has Space' }, "eventType: it is 'Has Space'; use letters, digits, '.', '_' and '-', a letter first"],
    [
      { eventType: 'dev.switchyard.X' },
      "eventType: it is 'dev.switchyard.X'; leave out the prefix 'dev.switchyard.' of CloudEvents",
    ],
    [{ occurredAt: 'yesterday' }, "occurredAt: it is 'yesterday', and must be a time like 2026-01-31T12:00:00.000Z"],
    [{ occurredAt: '2026-13-01T00:00:00Z' }, 'must be a time like 2026-01-31T12:00:00.000Z'],
    [{ schemaVersion: 0 }, 'schemaVersion: it is 0, and must be a whole number from 1 on'],
    [{ causationDepth: 1.5 }, 'causationDepth: it is 1.5, and must be a whole number from 0 on'],
    [{ projectId: [] }, 'projectId: it is a list, and must be a text'],
    [{ payload: undefined }, 'payload: it is missing; an event without content has null'],
    [{ payload: { a: () => 1 } }, 'payload: it has a value of the type function, which JSON cannot say'],
    [{ payload: [Number.NaN] }, 'payload: it has the number NaN, which JSON cannot say'],
    [{ payload: new Date(0) }, 'payload: it has an object of a class; send plain objects and lists'],
    [{ extra: 1n }, 'extra: it has a value of the type bigint, which JSON cannot say'],
  ])('refuses %o and says why', (changes, message) => {
    expect(faultsOf(changes)).toContain(message);
  });

  it('names everything that is wrong at once', () => {
    expect(faultsOf({ eventId: 1, tenantId: 2, source: undefined }).split('; ')).toHaveLength(3);
  });

  it.each([[undefined], [null], ['text'], [[]], [1]])('refuses %o as a whole', (input) => {
    expect(parseEventEnvelope(input)).toMatchObject({ kind: 'invalid', faults: [{ field: 'envelope' }] });
  });

  it('takes nothing from a prototype, and survives hostile names', () => {
    expect(parseEventEnvelope(Object.create(good))).toMatchObject({ kind: 'invalid' });
    const hostile = `{"__proto__":{"tenantId":"evil"},"constructor":1,${JSON.stringify(good).slice(1)}`;
    const parsing = decodeEventEnvelope(hostile);
    if (parsing.kind !== 'envelope') throw new Error(parsing.message);
    expect(parsing.envelope.tenantId).toBe('acme');
    expect(Object.keys(parsing.envelope.extensions ?? {})).toEqual(['__proto__', 'constructor']);
    expect(JSON.parse(encodeEventEnvelope(parsing.envelope))).toEqual(
      expect.objectContaining({ constructor: 1, tenantId: 'acme' }),
    );
  });

  it('refuses depth instead of running out of stack', () => {
    let payload: JsonValue = 1;
    for (let level = 0; level < 50_000; level += 1) payload = [payload];
    expect(faultsOf({ payload })).toContain(`more than ${envelopeLimits.payloadDepth} levels`);
  });

  it('refuses text that is no JSON, and text that is too large, before it reads it', () => {
    expect(decodeEventEnvelope('{')).toMatchObject({ kind: 'invalid' });
    const large = JSON.stringify({ ...good, payload: 'x'.repeat(envelopeLimits.sizeBytes) });
    expect(decodeEventEnvelope(large)).toMatchObject({
      message: expect.stringMatching(/has \d+ bytes, and 196608 is the most/),
    });
  });

  it('an envelope comes back from its text as it was', () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const parsing = decodeEventEnvelope(encodeEventEnvelope(envelope));
        expect(parsing).toEqual({ kind: 'envelope', envelope });
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSymbol: true } as object),
        (input) => {
          expect(['envelope', 'invalid']).toContain(parseEventEnvelope(input).kind);
        },
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(decodeEventEnvelope(text).kind).toBe('invalid');
      }),
    );
  });
});
