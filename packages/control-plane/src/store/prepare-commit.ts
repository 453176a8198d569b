/** Checks a commit before any adapter sees it, and writes its values as text. */
import { encodeEventEnvelope, findSizeFault } from '@switchyard/protocol';
import type { AuditDraft, Commit, DocumentWrite, OutboxEvent } from './contract.ts';
import { storeErrors } from './errors.ts';
import { storeLimits } from './limits.ts';

/** A write with its value as text; undefined for what writes none. */
export interface PreparedWrite {
  readonly write: DocumentWrite;
  readonly text: string | undefined;
}

export interface PreparedEvent {
  readonly event: OutboxEvent;
  readonly text: string;
}

export interface PreparedCommit {
  readonly fence: Commit['fence'];
  readonly inbox: Commit['inbox'];
  readonly writes: readonly PreparedWrite[];
  readonly events: readonly PreparedEvent[];
  readonly audit: readonly AuditDraft[];
}

/** @throws PlatformError STORE_INPUT_INVALID, STORE_DOCUMENT_TOO_LARGE */
export function prepareCommit(commit: Commit): PreparedCommit {
  const { writes = [], events = [], audit = [] } = commit;
  if (writes.length + events.length + audit.length > storeLimits.commitParts)
    throw invalid(`it has more than ${storeLimits.commitParts} parts; make several of it`);
  const seen = new Set<string>();
  const preparedWrites = writes.map((write) => {
    const name = JSON.stringify([write.documentKind, write.key]);
    if (seen.has(name)) throw invalid(`it names the ${write.documentKind} '${write.key}' twice`);
    seen.add(name);
    assertText('kind', write.documentKind);
    assertText('key', write.key);
    return { write, text: write.kind === 'put' ? toText(write) : undefined };
  });
  const preparedEvents = events.map((event) => {
    const text = encodeEventEnvelope(event.envelope);
    const fault = findSizeFault(text);
    if (fault !== undefined) throw invalid(`its event '${event.envelope.eventId}' is too large: ${fault.message}`);
    return { event, text };
  });
  return { fence: commit.fence, inbox: commit.inbox, writes: preparedWrites, events: preparedEvents, audit };
}

function toText(write: Extract<DocumentWrite, { kind: 'put' }>): string {
  const text = JSON.stringify(write.value);
  if (text === undefined) throw invalid(`the value of the ${write.documentKind} '${write.key}' is no JSON`);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= storeLimits.documentBytes) return text;
  const { documentKind, key } = write;
  const limitBytes = storeLimits.documentBytes;
  throw storeErrors.create('STORE_DOCUMENT_TOO_LARGE', { documentKind, key, sizeBytes, limitBytes });
}

/** PostgreSQL holds no NUL in a text, and an index no endless one. */
function assertText(what: string, value: string): void {
  if (value !== '' && value.length <= storeLimits.textLength && !value.includes('\0') && value.isWellFormed()) return;
  throw invalid(`the ${what} '${value.slice(0, 40)}' must have 1 to ${storeLimits.textLength} characters`);
}

function invalid(reason: string): Error {
  return storeErrors.create('STORE_INPUT_INVALID', { reason });
}
