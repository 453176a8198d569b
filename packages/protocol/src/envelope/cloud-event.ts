/**
 * Envelopes as CloudEvents 1.0 in JSON (structured mode), and back.
 *
 * | envelope | CloudEvent |
 * |---|---|
 * | eventId, source, subject, occurredAt, payload | id, source, subject, time, data |
 * | eventType | type: `dev.switchyard.` and the type; a type with a dot is somebody else's and stays as it is |
 * | schemaVersion | dataschema `urn:switchyard:schema:<type>:<version>` |
 * | traceId | traceparent when it is one of W3C Trace Context, else traceid |
 * | the other ids | tenantid, projectid, moduleid, environmentid, correlationid, causationid, causationdepth |
 * | extensions | an attribute where CloudEvents allow its name and value, else in the JSON text of `envelopefields` |
 *
 * An envelope that became a CloudEvent becomes the same envelope again.
 */
import { createHash } from 'node:crypto';
import { isTraceId } from './create-envelope.ts';
import { type EventEnvelope, envelopeFields, type JsonFields, type JsonValue } from './event-envelope.ts';
import { cloudEventTypePrefix, type EnvelopeParsing, parseEventEnvelope } from './parse-envelope.ts';

/** A CloudEvent in the JSON format. */
export type CloudEvent = JsonFields;

/** What events of others lack. */
export interface CloudEventDefaults {
  readonly tenantId?: string;
}

export const cloudEventMediaType = 'application/cloudevents+json';

/** The ids that travel as extension attributes, with their attributes' names. */
const idAttributes = [
  ['tenantId', 'tenantid'],
  ['projectId', 'projectid'],
  ['moduleId', 'moduleid'],
  ['environmentId', 'environmentid'],
  ['correlationId', 'correlationid'],
  ['causationId', 'causationid'],
  ['causationDepth', 'causationdepth'],
] as const;

const schemaPattern = /^urn:switchyard:schema:[^:]+:([1-9]\d{0,9})$/;
const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Names of extension attributes, as CloudEvents 1.0 section 3.1 has them; 20 characters are what it advises. */
const attributePattern = /^[a-z0-9]{1,20}$/;

const spareAttribute = 'envelopefields';

/** Attributes that have a meaning here, so that an unknown field of the same name travels in the spare one. */
const takenAttributes: ReadonlySet<string> = new Set([
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data', 'data_base64'],
  ...['traceparent', 'traceid', 'schemaversion', spareAttribute],
  ...idAttributes.map(([, attribute]) => attribute),
  // Fields of the envelope whose names are attributes of the same spelling.
  ...envelopeFields,
]);

/** The envelope as a CloudEvent. */
export function toCloudEvent(envelope: EventEnvelope): CloudEvent {
  const entries: [string, JsonValue][] = [
    ['specversion', '1.0'],
    ['id', envelope.eventId],
    ['source', envelope.source],
    ['type', envelope.eventType.includes('.') ? envelope.eventType : `${cloudEventTypePrefix}${envelope.eventType}`],
  ];
  if (envelope.subject !== undefined) entries.push(['subject', envelope.subject]);
  entries.push(['time', envelope.occurredAt]);
  for (const [field, attribute] of idAttributes) {
    const value = envelope[field];
    if (value !== undefined) entries.push([attribute, value]);
  }
  entries.push(traceAttribute(envelope));
  entries.push(['dataschema', `urn:switchyard:schema:${envelope.eventType}:${envelope.schemaVersion}`]);
  const spare: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(envelope.extensions ?? {})) {
    const fits = attributePattern.test(name) && !takenAttributes.has(name) && isAttributeValue(value);
    (fits ? entries : spare).push([name, value]);
  }
  if (spare.length > 0) entries.push([spareAttribute, JSON.stringify(Object.fromEntries(spare))]);
  entries.push(['datacontenttype', 'application/json'], ['data', envelope.payload]);
  return Object.fromEntries(entries);
}

/** The envelope of a CloudEvent, of ours or of others. Never throws. */
export function fromCloudEvent(input: unknown, defaults: CloudEventDefaults = {}): EnvelopeParsing {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return invalid('it must be a JSON object');
  const event = new Map<string, unknown>(Object.entries(input));
  const version = event.get('specversion');
  if (version !== '1.0')
    return invalid(`specversion is ${typeof version === 'string' ? `'${version}'` : 'missing'}, and must be '1.0'`);
  if (event.has('data_base64')) return invalid('data_base64 is binary; send JSON in data');
  const spare = readSpare(event.get(spareAttribute));
  if (spare === undefined) return invalid(`${spareAttribute} is no JSON object`);
  const type = event.get('type');
  const id = event.get('id');
  const entries: [string, unknown][] = [
    ['eventId', id],
    ['eventType', typeof type === 'string' ? withoutPrefix(type) : type],
    ['source', event.get('source')],
    ['subject', event.get('subject')],
    ['occurredAt', event.get('time')],
    ['schemaVersion', schemaVersionOf(event)],
    ['payload', event.get('data') ?? null],
    ['traceId', traceIdOf(event, id)],
  ];
  for (const [field, attribute] of idAttributes) entries.push([field, event.get(attribute)]);
  if (!event.has('tenantid')) entries.push(['tenantId', defaults.tenantId]);
  if (!event.has('correlationid')) entries.push(['correlationId', id]);
  const foreign = [...event].filter(([name]) => !takenAttributes.has(name));
  return parseEventEnvelope(Object.fromEntries([...foreign, ...spare, ...entries]));
}

function invalid(message: string): EnvelopeParsing {
  return { kind: 'invalid', faults: [{ field: 'cloudEvent', message }], message: `cloudEvent: ${message}` };
}

function withoutPrefix(type: string): string {
  const rest = type.startsWith(cloudEventTypePrefix) ? type.slice(cloudEventTypePrefix.length) : type;
  return rest.includes('.') ? type : rest;
}

function traceAttribute({ traceId, eventId }: EventEnvelope): [string, string] {
  if (!isTraceId(traceId)) return ['traceid', traceId];
  // The span is the event itself; 64 bits of a hash are all 0 for no event that anybody will ever see.
  const spanId = createHash('sha256').update(eventId).digest('hex').slice(0, 16);
  return ['traceparent', `00-${traceId}-${spanId}-01`];
}

/** An event without a trace begins one, and the same event always the same. */
function traceIdOf(event: ReadonlyMap<string, unknown>, id: unknown): unknown {
  const parent = event.get('traceparent');
  const found = typeof parent === 'string' ? traceparentPattern.exec(parent)?.[1] : undefined;
  if (found !== undefined && isTraceId(found)) return found;
  return event.get('traceid') ?? createHash('sha256').update(String(id)).digest('hex').slice(0, 32);
}

/** Another's schema says nothing of our numbers: its version is 1, and the address itself is lost. */
function schemaVersionOf(event: ReadonlyMap<string, unknown>): number {
  const schema = event.get('dataschema');
  const found = typeof schema === 'string' ? schemaPattern.exec(schema)?.[1] : undefined;
  return found === undefined ? 1 : Number(found);
}

/** Booleans, 32-bit integers and texts: what an attribute may be. */
function isAttributeValue(value: JsonValue): boolean {
  if (typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0);
  return typeof value === 'string' && value !== '';
}

function readSpare(text: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (text === undefined) return [];
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}
