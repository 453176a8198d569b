/** The messages by which the scanner hands blobs to the readers, in the official host's JSON (BlobTriggerMessage). */
import { messageOf } from '@switchyard/kernel';
import { isJsonObject } from '@switchyard/model';
import type { BlobType } from './blob-client.ts';

/** One version of a blob for one function. */
export interface BlobTriggerMessage {
  /** For example `Host.Functions.Resize`. */
  readonly functionId: string;
  readonly blobType: BlobType;
  readonly container: string;
  readonly blob: string;
  /** With its quotes. */
  readonly etag: string;
}

export type BlobTriggerMessageResult =
  | { readonly kind: 'message'; readonly message: BlobTriggerMessage }
  | { readonly kind: 'invalid'; readonly reason: string };

const types: readonly BlobType[] = ['Block', 'Append', 'Page'];

export function formatBlobTriggerMessage(message: BlobTriggerMessage): string {
  return JSON.stringify({
    Type: 'BlobTrigger',
    FunctionId: message.functionId,
    BlobType: `${message.blobType}Blob`,
    ContainerName: message.container,
    BlobName: message.blob,
    ETag: message.etag,
  });
}

/** Reads a message, also one of an official host. An unknown blob type counts as a block blob: nothing depends on it. */
export function parseBlobTriggerMessage(text: string): BlobTriggerMessageResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    return { kind: 'invalid', reason: `it is not JSON (${messageOf(thrown)})` };
  }
  if (!isJsonObject(parsed)) return { kind: 'invalid', reason: 'it is no JSON object' };
  const { FunctionId: functionId, ContainerName: container, BlobName: blob, ETag: etag, BlobType: written } = parsed;
  const missing = Object.entries({ FunctionId: functionId, ContainerName: container, BlobName: blob, ETag: etag })
    .filter(([, value]) => typeof value !== 'string' || value === '')
    .map(([name]) => name);
  if (missing.length > 0) return { kind: 'invalid', reason: `"${missing.join('", "')}" must be texts` };
  const blobType = types.find((type) => typeof written === 'string' && written.startsWith(type)) ?? 'Block';
  return {
    kind: 'message',
    message: {
      functionId: String(functionId),
      blobType,
      container: String(container),
      blob: String(blob),
      etag: String(etag),
    },
  };
}
