/** The blob input: the content of a blob, or where it is. */
import type { BindingDataType } from '@switchyard/model';
import type { InputBindingKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { maxContentBytes } from '../storage/content-limit.ts';
import { connectionNameOf, isDeferred } from '../storage/deferred-binding.ts';
import { callUntilDone, transferTimeoutMs } from '../storage/storage-call.ts';
import { type BlobBindingOptions, parseBlobBinding, resolveBlobPath } from './blob-binding.ts';
import type { BlobService } from './blob-client.ts';
import { toDeferredData, toInputData } from './blob-content.ts';
import { formatBlobPath } from './blob-path.ts';

/** A blob binding of direction in, parsed. */
export interface BlobInputOptions extends BlobBindingOptions {
  readonly dataType: BindingDataType | undefined;
  readonly deferredConnection: string | undefined;
}

/** Tries to read a blob; then the invocation fails. */
const maxTries = 3;

/** Makes the blob input. A blob that does not exist is a value without content, as in the official host. */
export function createBlobInput(deps: { readonly blobs: BlobService }): InputBindingKind<BlobInputOptions> {
  return {
    type: 'blob',
    parse: (binding, scope) => ({
      ...parseBlobBinding(binding, scope),
      dataType: binding.dataType,
      deferredConnection: isDeferred(binding) ? connectionNameOf(binding) : undefined,
    }),
    async read(options, bindingData, context) {
      const path = resolveBlobPath(options, bindingData, context);
      if (options.deferredConnection !== undefined) return toDeferredData(options.deferredConnection, path);
      const container = deps.blobs.open(options.connection, path.container);
      const name = { operation: 'read', resource: `blob '${formatBlobPath(path)}'` };
      const query = { maxBytes: maxContentBytes };
      const read = await callUntilDone(context, name, maxTries, (signal) => container.read(path.blob, query, signal), {
        timeoutMs: transferTimeoutMs(maxContentBytes),
      });
      if (read.kind === 'found') return toInputData(read.bytes, options.dataType);
      if (read.kind !== 'too-large') return { data: undefined };
      const details = { blob: formatBlobPath(path), sizeBytes: read.sizeBytes, limitBytes: maxContentBytes };
      throw triggerErrors.create('BLOB_TOO_LARGE', details);
    },
  };
}
