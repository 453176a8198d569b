/** Runs of blob functions that somebody asks for: the input is `container/blob`. */
import type { BindingContext, ManualEvent } from '../contract.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { type CallDeps, callUntilDone } from '../storage/storage-call.ts';
import type { BlobContainer, BlobService, BlobType } from './blob-client.ts';
import { type BlobTarget, readBlobEvent } from './blob-dispatch.ts';
import { type BlobPath, formatBlobPath, parseBlobPath } from './blob-path.ts';
import type { BlobTriggerOptions } from './blob-trigger.ts';

const maxTries = 2;

const reason = 'This function was programmatically called via the host APIs.';

/** The version of a blob that is there now; undefined when there is none. */
export async function readVersion(
  container: BlobContainer,
  path: BlobPath,
  deps: CallDeps,
  signal?: AbortSignal,
): Promise<{ readonly etag: string; readonly blobType: BlobType } | undefined> {
  const name = { operation: 'get properties', resource: `blob '${formatBlobPath(path)}'` };
  const found = await callUntilDone(deps, name, maxTries, (own) => container.properties(path.blob, own), { signal });
  return found.kind === 'missing' ? undefined : { etag: found.properties.etag, blobType: found.properties.type };
}

/** Makes the event of the blob that the input names. */
export async function toManualBlob(
  blobs: BlobService,
  options: BlobTriggerOptions,
  input: string,
  context: BindingContext,
): Promise<ManualEvent> {
  const parsed = parseBlobPath(input);
  if (parsed.kind === 'invalid') {
    return { kind: 'refused', reason: `The input must be "container/blob", but ${parsed.reason}.` };
  }
  const { path } = parsed;
  const { pattern, dataType, deferredConnection, connection } = options;
  const open = (container: string): BlobContainer => blobs.open(connection, container);
  const version = await readVersion(open(path.container), path, context);
  if (version === undefined) return { kind: 'refused', reason: `There is no blob '${formatBlobPath(path)}'.` };
  const invoke = (): Promise<never> => Promise.reject(new Error('A run by hand is no event of the listener.'));
  const outage = new OutageLog(context.log, { began: '', ended: '', fields: {} });
  const target: BlobTarget = { context: { ...context, invoke }, pattern, dataType, deferredConnection, outage, open };
  const event = await readBlobEvent(target, { functionId: '', ...path, ...version }, {});
  if (event === undefined) {
    return { kind: 'refused', reason: `The blob '${formatBlobPath(path)}' does not fit the path of the function.` };
  }
  return { kind: 'event', event: { ...event, reason } };
}
