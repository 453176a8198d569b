import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { cliErrors } from '../errors.ts';

export const configurationFileName = 'switchyard.yaml';

/** What a manifest of `switchyard apply` has, and no setting is called. */
const manifestMark = 'apiVersion';

/**
 * The names and values of the folder's switchyard.yaml; empty when it has none, or when the file is a manifest, which people
 * call the same. Rejects with CONFIGURATION_INVALID, which names the file and the place.
 */
export async function readConfigurationFile(folder: string): Promise<ReadonlyMap<unknown, unknown>> {
  const path = join(folder, configurationFileName);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw invalid(path, `it cannot be read: ${error.message}.`, error);
  });
  return text === undefined ? new Map() : parseConfiguration(text, path);
}

async function parseConfiguration(text: string, path: string): Promise<ReadonlyMap<unknown, unknown>> {
  // Only who has such a file pays for the parser.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw invalid(path, `${firstLine(error.message)}.`, error);
  const root = toMaps(path, () => document.toJS({ mapAsMap: true }));
  if (root === null || root === undefined) return new Map();
  if (root instanceof Map) return root.has(manifestMark) ? new Map() : root;
  throw invalid(path, 'it must hold names and values, one per line, such as "port: 8080".');
}

/** References that multiply are refused when they are resolved. */
function toMaps(path: string, resolve: () => unknown): unknown {
  try {
    return resolve();
  } catch (error) {
    throw invalid(path, `${firstLine(messageOf(error))}.`, error);
  }
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/[:.]$/, '');
}

function invalid(where: string, problem: string, cause?: unknown): Error {
  return cliErrors.create('CONFIGURATION_INVALID', { where, problem }, cause);
}
