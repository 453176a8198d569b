/** From something unknown to an envelope, and to text and back. */
import { messageOf } from '@switchyard/kernel';
import {
  type EventEnvelope,
  envelopeFields,
  envelopeLimits,
  type JsonFields,
  type JsonValue,
} from './event-envelope.ts';
import { findJsonFault } from './json-fault.ts';

/** What `parseEventEnvelope` found. */
export type EnvelopeParsing =
  | { readonly kind: 'envelope'; readonly envelope: EventEnvelope }
  | { readonly kind: 'invalid'; readonly faults: readonly EnvelopeFieldFault[]; readonly message: string };

/** One thing that is wrong with an envelope. */
export interface EnvelopeFieldFault {
  /** The field, or `envelope` for the whole. */
  readonly field: string;
  /** A sentence that names the value, what is wrong and what it must be. */
  readonly message: string;
}

/** The prefix that CloudEvents types of ours have; a type of an envelope never has it itself. */
export const cloudEventTypePrefix = 'dev.switchyard.';

/**
 * Reads an envelope from an object as JSON gives it. `causationId`, `causationDepth` and `schemaVersion` may be missing:
 * then the event has no cause, and its payload is of version 1. Never throws, and names everything that is wrong.
 */
export function parseEventEnvelope(input: unknown): EnvelopeParsing {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return invalid([fault('envelope', `it is ${describe(input)}, and must be a JSON object`)]);
  const reader = new FieldReader(input as Readonly<Record<string, unknown>>);
  const eventId = reader.text('eventId');
  const eventType = reader.eventType();
  const tenantId = reader.text('tenantId');
  const projectId = reader.optionalText('projectId');
  const moduleId = reader.optionalText('moduleId');
  const environmentId = reader.optionalText('environmentId');
  const subject = reader.optionalText('subject');
  const traceId = reader.text('traceId');
  const correlationId = reader.text('correlationId');
  const causationId = reader.optionalText('causationId') ?? eventId;
  const causationDepth = reader.integer('causationDepth', 0, 0);
  const occurredAt = reader.instant('occurredAt');
  const schemaVersion = reader.integer('schemaVersion', 1, 1);
  const source = reader.text('source');
  const payload = reader.payload();
  const extensions = reader.extensions();
  if (reader.faults.length > 0) return invalid(reader.faults);
  const envelope: EventEnvelope = {
    eventId,
    eventType,
    tenantId,
    ...(projectId === undefined ? {} : { projectId }),
    ...(moduleId === undefined ? {} : { moduleId }),
    ...(environmentId === undefined ? {} : { environmentId }),
    ...(subject === undefined ? {} : { subject }),
    traceId,
    correlationId,
    causationId,
    causationDepth,
    occurredAt,
    schemaVersion,
    source,
    payload,
    ...(extensions === undefined ? {} : { extensions }),
  };
  return { kind: 'envelope', envelope };
}

/** Reads an envelope from its text. Never throws. */
export function decodeEventEnvelope(text: string): EnvelopeParsing {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > envelopeLimits.sizeBytes) return invalid([tooLarge(sizeBytes)]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return invalid([fault('envelope', `it is no JSON (${messageOf(thrown)}); send it as a JSON object`)]);
  }
  return parseEventEnvelope(value);
}

/** The envelope as one line of JSON: the known fields in their order, then the unknown ones. */
export function encodeEventEnvelope(envelope: EventEnvelope): string {
  return JSON.stringify(toEnvelopeJson(envelope));
}

/** The envelope as an object of JSON, its unknown fields beside the known ones. */
export function toEnvelopeJson(envelope: EventEnvelope): JsonFields {
  const entries: [string, JsonValue][] = [];
  for (const name of envelopeFields) {
    const value = envelope[name];
    if (value !== undefined) entries.push([name, value]);
  }
  // Object.fromEntries defines its keys, so that a key named __proto__ is a key like any other.
  return Object.fromEntries([...entries, ...Object.entries(envelope.extensions ?? {})]);
}

/** The fault of an envelope that is too large to travel, or undefined. */
export function findSizeFault(text: string): EnvelopeFieldFault | undefined {
  const sizeBytes = Buffer.byteLength(text);
  return sizeBytes > envelopeLimits.sizeBytes ? tooLarge(sizeBytes) : undefined;
}

function tooLarge(sizeBytes: number): EnvelopeFieldFault {
  const reason = `it has ${sizeBytes} bytes, and ${envelopeLimits.sizeBytes} is the most; store large content elsewhere and send where it is`;
  return fault('envelope', reason);
}

function invalid(faults: readonly EnvelopeFieldFault[]): EnvelopeParsing {
  return { kind: 'invalid', faults, message: faults.map(({ field, message }) => `${field}: ${message}`).join('; ') };
}

function fault(field: string, message: string): EnvelopeFieldFault {
  return { field, message };
}

const typePattern = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** A date and a time of RFC 3339, with its offset. */
const instantPattern = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

const knownFields: ReadonlySet<string> = new Set(envelopeFields);

/** Reads the fields of one object and collects what is wrong with them. */
class FieldReader {
  readonly faults: EnvelopeFieldFault[] = [];
  readonly #input: Readonly<Record<string, unknown>>;

  constructor(input: Readonly<Record<string, unknown>>) {
    this.#input = input;
  }

  text(name: string): string {
    const value = this.#value(name);
    return this.#checkedText(name, value) ?? '';
  }

  optionalText(name: string): string | undefined {
    const value = this.#value(name);
    return value === undefined || value === null ? undefined : this.#checkedText(name, value);
  }

  eventType(): string {
    const value = this.text('eventType');
    if (value === '') return value;
    if (!typePattern.test(value))
      this.#fail('eventType', `it is ${describe(value)}; use letters, digits, '.', '_' and '-', a letter first`);
    else if (value.startsWith(cloudEventTypePrefix))
      this.#fail(
        'eventType',
        `it is ${describe(value)}; leave out the prefix '${cloudEventTypePrefix}' of CloudEvents`,
      );
    return value;
  }

  integer(name: string, least: number, otherwise: number): number {
    const value = this.#value(name);
    if (value === undefined || value === null) return otherwise;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= 2 ** 31 - 1)
      return value;
    this.#fail(name, `it is ${describe(value)}, and must be a whole number from ${least} on`);
    return otherwise;
  }

  instant(name: string): string {
    const value = this.#value(name);
    const timeMs = typeof value === 'string' && instantPattern.test(value) ? Date.parse(value) : Number.NaN;
    if (!Number.isNaN(timeMs)) return new Date(timeMs).toISOString();
    this.#fail(name, `it is ${describe(value)}, and must be a time like 2026-01-31T12:00:00.000Z`);
    return '';
  }

  payload(): JsonValue {
    const value = this.#value('payload');
    if (value === undefined) {
      this.#fail('payload', 'it is missing; an event without content has null');
      return null;
    }
    const reason = findJsonFault(value, envelopeLimits.payloadDepth);
    if (reason !== undefined) this.#fail('payload', reason);
    return value as JsonValue;
  }

  /** The fields that are not known, or undefined when there are none. */
  extensions(): JsonFields | undefined {
    const entries: [string, unknown][] = [];
    for (const name of Object.keys(this.#input)) {
      const value = knownFields.has(name) ? undefined : this.#input[name];
      if (value !== undefined) entries.push([name, value]);
    }
    if (entries.length === 0) return undefined;
    if (entries.length > envelopeLimits.extensions) {
      this.#fail('envelope', `it has ${entries.length} unknown fields, and ${envelopeLimits.extensions} are the most`);
      return undefined;
    }
    for (const [name, value] of entries) {
      const reason = findJsonFault(value, envelopeLimits.payloadDepth);
      if (reason !== undefined) this.#fail(name, reason);
    }
    return Object.fromEntries(entries) as JsonFields;
  }

  /** Own fields only: what a prototype has is nobody's input. */
  #value(name: string): unknown {
    return Object.hasOwn(this.#input, name) ? this.#input[name] : undefined;
  }

  #checkedText(name: string, value: unknown): string | undefined {
    if (value === undefined || value === null) this.#fail(name, 'it is missing');
    else if (typeof value !== 'string' || value === '')
      this.#fail(name, `it is ${describe(value)}, and must be a text`);
    else if (value.length > envelopeLimits.textLength)
      this.#fail(name, `it has ${value.length} characters, and ${envelopeLimits.textLength} are the most`);
    else if (!value.isWellFormed() || hasControlCharacter(value))
      this.#fail(name, 'it has characters that cannot be printed; leave them out');
    else return value;
    return undefined;
  }

  #fail(field: string, message: string): void {
    this.faults.push(fault(field, message));
  }
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/** A value in a message: short, and never more than its beginning. */
function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string')
    return value === '' ? 'empty' : `'${value.slice(0, 60)}${value.length > 60 ? '...' : ''}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
