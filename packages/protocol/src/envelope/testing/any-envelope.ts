/** Envelopes of every kind, for property tests. */
import fc from 'fast-check';
import { type EventEnvelope, envelopeFields, type JsonFields, type JsonValue } from '../event-envelope.ts';
import { cloudEventTypePrefix } from '../parse-envelope.ts';

const known: ReadonlySet<string> = new Set(envelopeFields);

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((value) => !/[\p{Cc}]/u.test(value) && value.length <= 256);

const name = fc.oneof(text, fc.constantFrom('ext', 'data', 'time', 'id', 'tenantid', 'traceparent', '__proto__', 'a1'));

/** JSON as it comes out of a parser. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);

const traceId = fc.oneof(text, fc.stringMatching(/^[0-9a-f]{32}$/), fc.constant('0'.repeat(32)));

const eventType = fc
  .oneof(
    fc.constantFrom('RuntimeDeploymentRequested', 'ThingHappenedV2', 'com.example.thing'),
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,30}$/),
  )
  .filter((value) => !value.startsWith(cloudEventTypePrefix));

const extensions = fc
  .array(fc.tuple(name, json), { minLength: 1, maxLength: 5 })
  .map((entries) => Object.fromEntries(entries.filter(([key]) => !known.has(key))) as JsonFields);

export const anyEnvelope: fc.Arbitrary<EventEnvelope> = fc
  .record(
    {
      eventId: text,
      eventType,
      tenantId: text,
      projectId: text,
      moduleId: text,
      environmentId: text,
      subject: text,
      traceId,
      correlationId: text,
      causationId: text,
      causationDepth: fc.nat({ max: 1_000 }),
      occurredAt: fc
        .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      schemaVersion: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      source: text,
      payload: json,
      extensions,
    },
    {
      requiredKeys: [
        'eventId',
        'eventType',
        'tenantId',
        'traceId',
        'correlationId',
        'causationId',
        'causationDepth',
        'occurredAt',
        'schemaVersion',
        'source',
        'payload',
      ],
    },
  )
  .map(({ extensions: others, ...rest }) =>
    others === undefined || Object.keys(others).length === 0 ? rest : { ...rest, extensions: others },
  );
