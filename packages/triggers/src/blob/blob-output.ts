/** The blob output. */
import type { TypedData } from '@switchyard/protocol';
import type { BindingContext, OutputBindingKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { type CallOptions, callUntilDone, transferTimeoutMs } from '../storage/storage-call.ts';
import { fromTypedData } from '../typed-data.ts';
import { type BlobBindingOptions, parseBlobBinding, resolveBlobPath } from './blob-binding.ts';
import type { BlobContainer, BlobService } from './blob-client.ts';
import { formatBlobPath } from './blob-path.ts';
import type { BlobWrites } from './blob-writes.ts';

/** Tries per request; then the invocation fails. */
const maxTries = 4;

/** A container that is deleted while it is written to is created again this often. */
const maxCreations = 3;

/** Makes the blob output: the blob is written over, the container created when it is missing. */
export function createBlobOutput(deps: {
  readonly blobs: BlobService;
  readonly writes: BlobWrites;
}): OutputBindingKind<BlobBindingOptions> {
  return {
    type: 'blob',
    parse: parseBlobBinding,
    async write(options, value, bindingData, context) {
      const path = resolveBlobPath(options, bindingData, context);
      const container = deps.blobs.open(options.connection, path.container);
      await writeBlob(context, container, path.blob, toBytes(value));
      deps.writes.notify(options.connection.queueEndpoint, path.container, path.blob);
    },
  };
}

async function writeBlob(
  context: BindingContext,
  container: BlobContainer,
  blob: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = formatBlobPath({ container: container.name, blob });
  const options: CallOptions = { timeoutMs: transferTimeoutMs(bytes.byteLength) };
  const write = (signal: AbortSignal): ReturnType<BlobContainer['write']> => container.write(blob, bytes, {}, signal);
  for (let creations = 0; creations <= maxCreations; creations += 1) {
    const name = { operation: 'write', resource: `blob '${path}'` };
    const written = await callUntilDone(context, name, maxTries, write, options);
    if (written.kind === 'written') return;
    if (written.kind === 'refused') throw triggerErrors.create('BLOB_OUTPUT_REFUSED', { blob: path });
    const creation = { operation: 'create', resource: `container '${container.name}'` };
    await callUntilDone(context, creation, maxTries, (signal) => container.create(signal));
  }
  throw triggerErrors.create('BLOB_CONTAINER_UNSAFE', { container: container.name });
}

/** Text as UTF-8, bytes as they are, JSON as the worker wrote it; a JSON text without its quotes. */
function toBytes(value: TypedData): Uint8Array {
  const given = fromTypedData(value);
  if (given instanceof Uint8Array) return given;
  if (typeof given === 'string') return new TextEncoder().encode(given);
  const json = value.data?.$case === 'json' ? value.data.value : undefined;
  return new TextEncoder().encode(json ?? (typeof given === 'object' ? JSON.stringify(given) : String(given ?? '')));
}
