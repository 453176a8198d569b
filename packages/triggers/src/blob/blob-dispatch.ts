/**
 * From a message of the blob trigger queue to an invocation.
 *
 * I1 A blob that is gone, or has another version by now, is dropped: its new version brings a message of its own.
 * I2 The content that a function gets is that of the version in the message.
 * I3 While the blob cannot be read for a reason that may pass, the message is kept without counting a try.
 * I4 What can never work (no such function, a message of somebody else, a blob too large) fails, and so ends in the poison
 *    queue instead of being lost; the log says why, once.
 * I5 While the app is stopping nothing begins, and no message counts a try.
 */
import { isPlatformError, type Log, messageOf, type PlatformError } from '@switchyard/kernel';
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { InvocationOutcome, ListenerContext, LossReason, TriggerEvent } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { maxContentBytes } from '../storage/content-limit.ts';
import type { OutageLog } from '../storage/outage-log.ts';
import { callUntilDone, transferTimeoutMs } from '../storage/storage-call.ts';
import type { BlobContainer, BlobProperties } from './blob-client.ts';
import { toDeferredData, toTriggerData } from './blob-content.ts';
import { toBlobEvent } from './blob-event.ts';
import { formatBlobPath } from './blob-path.ts';
import type { BlobPattern } from './blob-pattern.ts';
import type { BlobReceipts } from './blob-receipts.ts';
import { type BlobTriggerMessage, parseBlobTriggerMessage } from './blob-trigger-message.ts';

/** A function that takes blobs. */
export interface BlobTarget {
  readonly context: ListenerContext;
  readonly pattern: BlobPattern;
  readonly dataType: BindingDataType | undefined;
  /** The connection's name where the worker opens the blob itself. */
  readonly deferredConnection: string | undefined;
  readonly outage: OutageLog;
  open(container: string): BlobContainer;
}

export interface BlobDispatchDeps {
  readonly log: Log;
  readonly receipts: BlobReceipts;
  /** Its name, for messages. */
  readonly queueName: string;
  /** The function with this id, or undefined. */
  readonly targetOf: (functionId: string) => BlobTarget | undefined;
  readonly isStopping: () => boolean;
}

/** Tries to read a blob before its message is kept for later. */
const maxTries = 2;

/** What was found at the blob's place. */
type Found =
  | { readonly kind: 'found'; readonly data: TypedData; readonly properties: BlobProperties }
  /** Gone, or another version. */
  | { readonly kind: 'stale' };

const dropped: InvocationOutcome = { kind: 'succeeded', invocationId: '', outputs: new Map(), returnValue: undefined };

/** Runs the function for an event of the queue. Never rejects. */
export async function dispatchBlob(deps: BlobDispatchDeps, event: TriggerEvent): Promise<InvocationOutcome> {
  if (deps.isStopping()) return lostBy('stopping', 'the app is stopping');
  const text = event.data.data?.$case === 'string' ? event.data.data.value : '';
  const parsed = parseBlobTriggerMessage(text);
  if (parsed.kind === 'invalid') {
    const details = { queue: deps.queueName, reason: parsed.reason };
    return fail(deps, event, triggerErrors.create('BLOB_MESSAGE_INVALID', details));
  }
  const { message } = parsed;
  const target = deps.targetOf(message.functionId);
  if (target === undefined) {
    return fail(deps, event, triggerErrors.create('BLOB_FUNCTION_UNKNOWN', { function: message.functionId }));
  }
  try {
    const blobEvent = await toEvent(deps, target, message, event.details ?? {});
    target.outage.succeeded();
    return blobEvent === undefined ? dropped : await target.context.invoke(blobEvent);
  } catch (thrown) {
    if (isPlatformError(thrown) && thrown.retry === 'never') return fail(deps, event, thrown);
    target.outage.failed(thrown);
    return lostBy('no-worker', messageOf(thrown));
  }
}

/** The event for the function; undefined when the message is out of date. */
async function toEvent(
  deps: BlobDispatchDeps,
  target: BlobTarget,
  message: BlobTriggerMessage,
  details: Readonly<Record<string, string>>,
): Promise<TriggerEvent | undefined> {
  const { signal } = new AbortController();
  await deps.receipts.confirm(message, signal);
  return readBlobEvent(target, message, details);
}

/** The event for a version of a blob; undefined when it is gone, has changed, or does not fit the function's pattern. */
export async function readBlobEvent(
  target: BlobTarget,
  message: BlobTriggerMessage,
  details: Readonly<Record<string, string>>,
): Promise<TriggerEvent | undefined> {
  const captures = target.pattern.match(message.blob);
  const found = await find(target, message);
  if (captures === undefined || found.kind === 'stale') {
    const fields = { category: 'Host.Triggers.Blob', blob: formatBlobPath(message) };
    target.context.log.write('debug', 'A blob is gone or has changed since it was found', fields);
    return undefined;
  }
  const { data, properties } = found;
  const metadata = await readMetadata(target, message, properties);
  return toBlobEvent({ path: message, data, properties, metadata, captures, details });
}

async function find(target: BlobTarget, message: BlobTriggerMessage): Promise<Found> {
  const container = target.open(message.container);
  const { blob, etag } = message;
  const resource = `blob '${formatBlobPath(message)}'`;
  const { context, deferredConnection } = target;
  if (deferredConnection !== undefined) {
    const name = { operation: 'get properties', resource };
    const found = await callUntilDone(context, name, maxTries, (signal) => container.properties(blob, signal));
    if (found.kind === 'missing' || found.properties.etag !== etag) return { kind: 'stale' };
    return { kind: 'found', data: toDeferredData(deferredConnection, message), properties: found.properties };
  }
  const query = { maxBytes: maxContentBytes, ifMatch: etag };
  const options = { timeoutMs: transferTimeoutMs(maxContentBytes) };
  const name = { operation: 'read', resource };
  const read = await callUntilDone(context, name, maxTries, (signal) => container.read(blob, query, signal), options);
  switch (read.kind) {
    case 'found':
      return { kind: 'found', data: toTriggerData(read.bytes, target.dataType), properties: read.properties };
    case 'missing':
    case 'refused':
      return { kind: 'stale' };
    case 'too-large':
      throw triggerErrors.create('BLOB_TOO_LARGE', {
        blob: formatBlobPath(message),
        sizeBytes: read.sizeBytes,
        limitBytes: maxContentBytes,
      });
  }
}

/** The metadata as they were written; the properties have them in lower case, which does for most blobs: they have none. */
async function readMetadata(
  target: BlobTarget,
  message: BlobTriggerMessage,
  properties: BlobProperties,
): Promise<ReadonlyMap<string, string>> {
  if (properties.metadata.size === 0) return properties.metadata;
  const name = { operation: 'get metadata', resource: `blob '${formatBlobPath(message)}'` };
  const container = target.open(message.container);
  const read = await callUntilDone(target.context, name, maxTries, (signal) =>
    container.readMetadata(message.blob, signal),
  );
  return read.kind === 'found' ? read.metadata : properties.metadata;
}

/** The message goes back, and to the poison queue in the end. Its first try says why. */
function fail(deps: BlobDispatchDeps, event: TriggerEvent, error: PlatformError): InvocationOutcome {
  if (event.details?.DequeueCount === '1') {
    const fields = { category: 'Host.Triggers.Blob', queue: deps.queueName, code: error.code, error: error.message };
    deps.log.write('warning', 'A blob cannot be given to its function', fields);
  }
  return { kind: 'failed', invocationId: '', error: { message: error.message, stack: '', type: error.code } };
}

function lostBy(reason: LossReason, message: string): InvocationOutcome {
  return { kind: 'lost', invocationId: '', reason, error: { message, stack: '', type: '' } };
}
