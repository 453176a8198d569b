import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { workerErrors } from '../errors.ts';

/** What the worker reads of a package.json. */
export interface PackageJson {
  readonly main: string | undefined;
  readonly type: 'module' | 'commonjs';
}

/** A package.json, or that there is none. */
export type PackageJsonFile = { readonly kind: 'missing' } | ({ readonly kind: 'found' } & PackageJson);

/** Reads the folder's own package.json. Throws PACKAGE_JSON_INVALID when there is one that cannot be used. */
export function readPackageJson(directory: string): PackageJsonFile {
  const path = join(directory, 'package.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return { kind: 'missing' };
    throw workerErrors.create('PACKAGE_JSON_INVALID', { path, reason: messageOf(thrown) }, thrown);
  }
  return { kind: 'found', ...parsePackageJson(path, text) };
}

/** How Node.js takes a `.js` file in the folder: by the nearest package.json, upwards. */
export function moduleTypeOf(directory: string): 'module' | 'commonjs' {
  const own = readPackageJson(directory);
  if (own.kind === 'found') return own.type;
  const parent = dirname(directory);
  return parent === directory ? 'commonjs' : moduleTypeOf(parent);
}

function parsePackageJson(path: string, text: string): PackageJson {
  const fail = (reason: string, cause?: unknown): Error =>
    workerErrors.create('PACKAGE_JSON_INVALID', { path, reason }, cause);
  let json: unknown;
  try {
    // Editors on Windows begin files with a byte order mark.
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (thrown) {
    throw fail(messageOf(thrown), thrown);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('it holds no JSON object');
  const { main, type } = json as { main?: unknown; type?: unknown };
  if (main !== undefined && typeof main !== 'string') throw fail('"main" must be a string');
  return { main: main || undefined, type: type === 'module' ? 'module' : 'commonjs' };
}

function isMissing(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
