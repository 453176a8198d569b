/** A blob's content as a worker gets it. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { toModelBindingData } from '../storage/deferred-binding.ts';
import { textData } from '../typed-data.ts';
import type { BlobPath } from './blob-path.ts';

export function bytesData(value: Uint8Array): TypedData {
  return { data: { $case: 'bytes', value } };
}

/**
 * Text as a reader of streams finds it: UTF-8, or UTF-16 where a byte order mark says so; the mark is no part of it.
 * Undefined when the bytes are no text.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Content for a binding that asked for text: what is no text has its wrong places replaced. */
export function toTextData(bytes: Uint8Array): TypedData {
  return textData(new TextDecoder(encodingOf(bytes)).decode(bytes));
}

/**
 * The value of a trigger: bytes, unless it asks for text. The official templates take a buffer.
 */
export function toTriggerData(bytes: Uint8Array, dataType: BindingDataType | undefined): TypedData {
  return dataType === 'string' ? toTextData(bytes) : bytesData(bytes);
}

/**
 * The value of an input: text, unless it asks for bytes. Where it does not say, content that is no text stays bytes; the
 * official host would hand out text that is damaged.
 */
export function toInputData(bytes: Uint8Array, dataType: BindingDataType | undefined): TypedData {
  if (dataType === 'binary' || dataType === 'stream') return bytesData(bytes);
  if (dataType === 'string') return toTextData(bytes);
  const text = decodeText(bytes);
  return text === undefined ? bytesData(bytes) : textData(text);
}

/** Where the blob is, for a worker that opens it itself. */
export function toDeferredData(connectionName: string, { container, blob }: BlobPath): TypedData {
  const content = { Connection: connectionName, ContainerName: container, BlobName: blob };
  return toModelBindingData('AzureStorageBlobs', content);
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
}
