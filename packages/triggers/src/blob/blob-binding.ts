/** What blob inputs and outputs have in common: a path with expressions, and a connection. */
import { type BindingExpression, type BindingMetadata, parseBindingExpression } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { BindingContext, BindingScope } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { resolveStorageConnection, type StorageConnection } from '../storage/storage-connection.ts';
import { type BlobPath, parseBlobPath } from './blob-path.ts';
import { pathInvalid, readBlobPathText } from './blob-pattern.ts';

/** The parsed part. */
export interface BlobBindingOptions {
  readonly bindingName: string;
  readonly path: BindingExpression;
  readonly connection: StorageConnection;
}

/** Throws BLOB_PATH_MISSING, BLOB_PATH_INVALID, and what expressions and connections throw. */
export function parseBlobBinding(binding: BindingMetadata, scope: BindingScope): BlobBindingOptions {
  const where = `"path" of function '${scope.function.name}'`;
  const path = parseBindingExpression(readBlobPathText(binding, scope), where, scope.settings);
  if (path.parameters.length === 0) {
    const parsed = parseBlobPath(path.text);
    if (parsed.kind === 'invalid') throw pathInvalid(binding, scope, path.text, parsed.reason);
  }
  return { bindingName: binding.name, path, connection: resolveStorageConnection(binding, scope) };
}

/** Where the blob of this invocation is. Throws BLOB_PATH_INVALID. */
export function resolveBlobPath(
  { path, bindingName }: BlobBindingOptions,
  bindingData: ReadonlyMap<string, TypedData>,
  context: BindingContext,
): BlobPath {
  const { clock, random, functionName } = context;
  const text = path.resolve(bindingDataFrom(bindingData), { clock, random, functionName });
  const parsed = parseBlobPath(text);
  if (parsed.kind === 'path') return parsed.path;
  const details = { function: functionName, binding: bindingName, value: text, reason: parsed.reason };
  throw triggerErrors.create('BLOB_PATH_INVALID', details);
}
