import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromCloudEvent, toCloudEvent } from './cloud-event.ts';
import type { EventEnvelope } from './event-envelope.ts';
import { anyEnvelope } from './testing/any-envelope.ts';

const envelope: EventEnvelope = {
  eventId: 'evt-1',
  eventType: 'RuntimeDeploymentRequested',
  tenantId: 'acme',
  environmentId: 'prod',
  subject: 'application/shop',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  correlationId: 'dep-1',
  causationId: 'evt-0',
  causationDepth: 1,
  occurredAt: '2026-01-31T12:00:00.000Z',
  schemaVersion: 2,
  source: 'switchyard/cli',
  payload: { replicas: 3 },
};

/** Names and values that CloudEvents 1.0 allows for attributes. */
function attributeFaults(event: object): string[] {
  return Object.entries(event)
    .filter(([key]) => key !== 'data')
    .filter(([key, value]) => {
      const isScalar = typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value);
      return !/^[a-z0-9]{1,20}$/.test(key) || !isScalar || value === '';
    })
    .map(([key]) => key);
}

describe('toCloudEvent', () => {
  it('has every field where the table says', () => {
    expect(toCloudEvent(envelope)).toEqual({
      specversion: '1.0',
      id: 'evt-1',
      source: 'switchyard/cli',
      type: 'dev.switchyard.RuntimeDeploymentRequested',
      subject: 'application/shop',
      time: '2026-01-31T12:00:00.000Z',
      tenantid: 'acme',
      environmentid: 'prod',
      correlationid: 'dep-1',
      causationid: 'evt-0',
      causationdepth: 1,
      traceparent: expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/),
      dataschema: 'urn:switchyard:schema:RuntimeDeploymentRequested:2',
      datacontenttype: 'application/json',
      data: { replicas: 3 },
    });
  });

  it('any envelope becomes a valid CloudEvent, and the same envelope again', () => {
    fc.assert(
      fc.property(anyEnvelope, (each) => {
        const event = JSON.parse(JSON.stringify(toCloudEvent(each)));
        expect(attributeFaults(event)).toEqual([]);
        expect(fromCloudEvent(event)).toEqual({ kind: 'envelope', envelope: each });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('fromCloudEvent', () => {
  const foreign = {
    specversion: '1.0',
    id: 'a-1',
    source: '/shop',
    type: 'com.example.order',
    time: '2026-01-01T00:00:00Z',
  };

  it('takes an event of others: what they do not have has an obvious value', () => {
    const parsing = fromCloudEvent({ ...foreign, data: [1], colour: 'red' }, { tenantId: 'acme' });
    expect(parsing).toMatchObject({
      kind: 'envelope',
      envelope: {
        eventId: 'a-1',
        eventType: 'com.example.order',
        tenantId: 'acme',
        correlationId: 'a-1',
        causationId: 'a-1',
        schemaVersion: 1,
        payload: [1],
        extensions: { colour: 'red' },
      },
    });
    const again = fromCloudEvent({ ...foreign, data: [1], colour: 'red' }, { tenantId: 'acme' });
    expect(again).toEqual(parsing);
    if (parsing.kind === 'envelope')
      expect(toCloudEvent(parsing.envelope)).toMatchObject({ type: 'com.example.order', colour: 'red', id: 'a-1' });
  });

  it.each([
    [{ ...foreign, specversion: '0.3' }, "specversion is '0.3', and must be '1.0'"],
    [{ ...foreign, data_base64: 'AA==' }, 'data_base64 is binary; send JSON in data'],
    [{ ...foreign, envelopefields: '[' }, 'envelopefields is no JSON object'],
    [foreign, 'tenantId: it is missing'],
    [{ ...foreign, id: undefined, tenantid: 't' }, 'eventId: it is missing'],
    [null, 'it must be a JSON object'],
  ])('refuses %o and says why', (event, message) => {
    expect(fromCloudEvent(event)).toMatchObject({ kind: 'invalid', message: expect.stringContaining(message) });
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (fields) => {
        expect(['envelope', 'invalid']).toContain(fromCloudEvent({ ...foreign, ...fields }).kind);
      }),
    );
  });
});
