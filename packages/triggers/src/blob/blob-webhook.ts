/** The webhook by which Event Grid tells of new blobs: `runtime/webhooks/blobs?functionName=Host.Functions.{name}`. */
import { isJsonObject, type JsonObject } from '@switchyard/model';
import type { WebhookExtension } from '../contract.ts';
import { accepted, readEventGridRequest } from '../event-grid/event-grid-request.ts';
import { type BlobPath, parseBlobPath } from './blob-path.ts';

/** A function that is told of new blobs. */
export interface ToldOfBlobs {
  /** Resolves when the blob is safe in the queue, or is none for the function. */
  tell(path: BlobPath, signal: AbortSignal): Promise<void>;
}

const functionPrefix = /^host\.functions\./i;

/** Makes the webhook. A blob that cannot be handed on makes the answer 500, so that Event Grid sends its event again. */
export function createBlobWebhook(
  find: (applicationId: string, functionName: string) => ToldOfBlobs | undefined,
): WebhookExtension {
  return {
    name: 'blobs',
    async serve(applicationId, request) {
      const told = find(applicationId, (request.query.get('functionname') ?? '').replace(functionPrefix, ''));
      if (told === undefined) return { kind: 'unknown' };
      const read = readEventGridRequest(request);
      if (read.kind === 'answered') return read.reply;
      const { signal } = new AbortController();
      const paths = read.events.flatMap((event) => blobOf(event) ?? []);
      const tellings = await Promise.allSettled(paths.map((path) => told.tell(path, signal)));
      return tellings.every(({ status }) => status === 'fulfilled') ? accepted : { kind: 'reply', status: 500 };
    },
  };
}

/** The blob that an event tells of; undefined for events of other kinds, such as deletions. */
function blobOf(event: JsonObject): BlobPath | undefined {
  const kind = event.eventType ?? event.type;
  if (kind !== 'Microsoft.Storage.BlobCreated' && kind !== 'Microsoft.Storage.BlobRenamed') return undefined;
  const subject = typeof event.subject === 'string' ? event.subject : '';
  const named = /^\/blobServices\/[^/]+\/containers\/([^/]+)\/blobs\/(.+)$/.exec(subject);
  if (named?.[1] !== undefined && named[2] !== undefined) return { container: named[1], blob: named[2] };
  const url = isJsonObject(event.data) && typeof event.data.url === 'string' ? event.data.url : '';
  const parsed = parseBlobPath(url);
  return parsed.kind === 'path' ? parsed.path : undefined;
}
