/**
 * Reads the envelope of a StreamingMessage, its request id and what kind of content it carries, straight from the bytes.
 * The body is not touched, so a relay pays for the tag alone. The answers are those of the generated decoder: fields in
 * any order, the last one wins, unknown fields are passed over.
 */
import type { StreamingMessage } from './gen/function-rpc.ts';

/** The name of a message kind, as in `content.$case` of a decoded StreamingMessage. */
export type ContentCase = NonNullable<StreamingMessage['content']>['$case'];

/** What `readEnvelope` found. */
export type EnvelopeReading = Envelope | MalformedEnvelope;

/** A well-formed envelope. The body itself was not looked at. */
export interface Envelope {
  readonly kind: 'envelope';
  /** Empty when the sender left it out. */
  readonly requestId: string;
  /** Undefined when there is no content, or one of a kind that this build does not know. */
  readonly contentCase: ContentCase | undefined;
  /** Where the content's message lies in the frame: [contentStart, contentEnd). Both 0 without content. */
  readonly contentStart: number;
  readonly contentEnd: number;
}

/** The bytes are no StreamingMessage. */
export interface MalformedEnvelope {
  readonly kind: 'malformed';
  readonly fault: EnvelopeFault;
  /** Where in the frame. */
  readonly offset: number;
}

/**
 * `truncated`: a field reaches beyond the frame. `varint`: a number takes more than ten bytes. `tag`: field number 0, or a
 * wire type that no sender of proto3 uses (groups included).
 */
export type EnvelopeFault = 'truncated' | 'varint' | 'tag';

/** Reads the envelope of one frame. Never throws and never reads outside it. */
export function readEnvelope(frame: Uint8Array): EnvelopeReading {
  const cursor = new Cursor(frame, 0, frame.length);
  let requestId = '';
  let contentCase: ContentCase | undefined;
  let contentStart = 0;
  let contentEnd = 0;
  while (cursor.next()) {
    if (cursor.wireType !== delimited) continue;
    if (cursor.field === requestIdField) requestId = text(frame, cursor.start, cursor.end);
    else {
      const known = contentCases[cursor.field];
      if (known === undefined) continue;
      contentCase = known;
      contentStart = cursor.start;
      contentEnd = cursor.end;
    }
  }
  if (cursor.fault) return { kind: 'malformed', fault: cursor.fault, offset: cursor.start };
  return { kind: 'envelope', requestId, contentCase, contentStart, contentEnd };
}

/**
 * The invocation id that a frame carries, when its kind has one (request, response, cancellation, log). Undefined when it
 * is absent or empty, or when the body is malformed.
 */
export function readInvocationId(frame: Uint8Array, envelope: Envelope): string | undefined {
  const field = envelope.contentCase === undefined ? undefined : invocationIdFields.get(envelope.contentCase);
  if (field === undefined) return undefined;
  const cursor = new Cursor(frame, envelope.contentStart, envelope.contentEnd);
  let start = 0;
  let end = 0;
  while (cursor.next()) {
    if (cursor.field !== field || cursor.wireType !== delimited) continue;
    start = cursor.start;
    end = cursor.end;
  }
  return cursor.fault || start === end ? undefined : text(frame, start, end);
}

const requestIdField = 1;

/** The content's field numbers; index = number. schema.test.ts holds this table against the .proto files. */
export const contentCases: readonly (ContentCase | undefined)[] = toTable([
  [2, 'rpcLog'],
  [4, 'invocationRequest'],
  [5, 'invocationResponse'],
  [6, 'fileChangeEventRequest'],
  [7, 'workerActionResponse'],
  [8, 'functionLoadRequest'],
  [9, 'functionLoadResponse'],
  [12, 'workerStatusRequest'],
  [13, 'workerStatusResponse'],
  [14, 'workerTerminate'],
  [15, 'workerHeartbeat'],
  [16, 'workerInitResponse'],
  [17, 'workerInitRequest'],
  [20, 'startStream'],
  [21, 'invocationCancel'],
  [25, 'functionEnvironmentReloadRequest'],
  [26, 'functionEnvironmentReloadResponse'],
  [27, 'closeSharedMemoryResourcesRequest'],
  [28, 'closeSharedMemoryResourcesResponse'],
  [29, 'functionsMetadataRequest'],
  [30, 'functionMetadataResponse'],
  [31, 'functionLoadRequestCollection'],
  [32, 'functionLoadResponseCollection'],
  [33, 'workerWarmupRequest'],
  [34, 'workerWarmupResponse'],
  [50, 'workerConnect'],
  [51, 'workerConnectResponse'],
  [52, 'workerRestartRequest'],
  [53, 'workerRestartResponse'],
  [54, 'workerSpecializedNotification'],
  [100, 'workerSpecialized'],
  [101, 'workerSpecializedResponse'],
]);

/** Where each kind keeps its invocation id. */
const invocationIdFields: ReadonlyMap<ContentCase, number> = new Map<ContentCase, number>([
  ['invocationRequest', 1],
  ['invocationResponse', 1],
  ['rpcLog', 1],
  ['invocationCancel', 2],
]);

function toTable(entries: readonly (readonly [number, ContentCase])[]): readonly (ContentCase | undefined)[] {
  const table: (ContentCase | undefined)[] = new Array(entries.at(-1)?.[0] ?? 0).fill(undefined);
  for (const [number, name] of entries) table[number] = name;
  return table;
}

/** Wire types of proto3. */
const varint = 0;
const bit64 = 1;
const delimited = 2;
const bit32 = 5;

const maxVarintBytes = 10;

/** Walks over the fields of one message. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  field = 0;
  wireType = 0;
  /** The payload of a delimited field: [start, end). After a fault, `start` is where it was found. */
  start = 0;
  end = 0;
  fault: EnvelopeFault | undefined;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Moves to the next field; false at the end or at a fault. */
  next(): boolean {
    if (this.#position >= this.#end) return false;
    const tag = this.#varint();
    if (this.fault) return false;
    this.field = tag >>> 3;
    this.wireType = tag & 7;
    if (this.field === 0) return this.#fail('tag');
    switch (this.wireType) {
      case delimited: {
        const length = this.#varint();
        if (this.fault) return false;
        return this.#over(length);
      }
      case varint:
        this.#varint();
        return this.fault === undefined;
      case bit64:
        return this.#over(8);
      case bit32:
        return this.#over(4);
      default:
        return this.#fail('tag');
    }
  }

  #over(length: number): boolean {
    this.start = this.#position;
    this.end = this.start + length;
    this.#position = this.end;
    return this.end <= this.#end || this.#fail('truncated');
  }

  /** The low 32 bits of a varint; 0 after a fault. */
  #varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    let shift = 0;
    for (let read = 0; read < maxVarintBytes; read += 1) {
      if (this.#position >= this.#end) {
        this.#fail('truncated');
        return 0;
      }
      const byte = bytes[this.#position++] as number;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      shift += 7;
    }
    this.#fail('varint');
    return 0;
  }

  #fail(fault: EnvelopeFault): false {
    this.fault = fault;
    this.start = Math.min(this.#position, this.#end);
    return false;
  }
}

/** Up to this length a loop beats the call into the engine's decoder. */
const shortTextBytes = 16;

function text(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= shortTextBytes) {
    let short = '';
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte > 0x7f) return decode(bytes, start, end);
      short += String.fromCharCode(byte);
    }
    return short;
  }
  return decode(bytes, start, end);
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('utf8', start, end);
}
