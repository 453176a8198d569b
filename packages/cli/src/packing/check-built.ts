import { globSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { isJsonObject, type JsonObject, parseJsonText } from '@switchyard/model';
import { packingErrors } from './errors.ts';
import { ignoreFileName } from './ignore-rules.ts';
import type { PackageFile } from './list-files.ts';
import { readConfigurationText } from './read-configuration-text.ts';

/** What a worker tries behind a plain path. */
const customaryEnds = ['', '.js', '.cjs', '.mjs', '/index.js'];

/**
 * Makes sure that the package of a TypeScript app holds what `main` of its package.json names. Rejects with
 * PACK_NOT_BUILT, which says what to run. Apps of function.json files name their scripts there, and a package.json that
 * is no JSON is for the worker to complain about.
 */
export async function checkBuilt(directory: string, files: readonly PackageFile[]): Promise<void> {
  if ((await readConfigurationText(directory, 'tsconfig.json')) === undefined) return;
  if (files.some(({ path }) => /^[^/]+\/function\.json$/.test(path))) return;
  const manifest = await readManifest(directory);
  const { main } = manifest;
  if (typeof main !== 'string' || main === '') return;
  const patterns = patternsOf(main);
  if (files.some(({ path }) => patterns.some((pattern) => matchesGlob(path, pattern)))) return;
  const fix = isOnDisk(directory, patterns)
    ? `Such files are there, and '${ignoreFileName}' leaves them out: take its line for them out.`
    : `${buildAdvice(manifest)}`;
  throw packingErrors.create('PACK_NOT_BUILT', { path: directory, main, fix });
}

/** The manifest of an app's folder; empty when there is none that can be read. */
export async function readManifest(directory: string): Promise<JsonObject> {
  try {
    const manifest = parseJsonText((await readConfigurationText(directory, 'package.json')) ?? '{}', 'package.json');
    return isJsonObject(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

/** The text of a script of package.json. */
export function scriptOf(manifest: JsonObject, name: string): string | undefined {
  const { scripts } = manifest;
  const script = isJsonObject(scripts) && Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  return typeof script === 'string' ? script : undefined;
}

function buildAdvice(manifest: JsonObject): string {
  if (scriptOf(manifest, 'build') === undefined) return "Run 'npx tsc' there.";
  return "Run 'npm run build' there, or deploy with --build, which does.";
}

function patternsOf(main: string): readonly string[] {
  const pattern = main
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '');
  return customaryEnds.map((end) => `${pattern}${end}`);
}

function isOnDisk(directory: string, patterns: readonly string[]): boolean {
  const found = globSync([...patterns], { cwd: directory, withFileTypes: true });
  return found.some((entry) => entry.isFile() && !join(entry.parentPath, entry.name).includes('node_modules'));
}
