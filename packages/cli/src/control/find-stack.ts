/** What a deployed app runs on. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJsonText, parseLocalSettings, readKey } from '@switchyard/model';
import type { StackRequest } from '@switchyard/protocol/control-api';
import { controlErrors } from './errors.ts';

const settingName = 'FUNCTIONS_WORKER_RUNTIME';

/** Files that give an app's language away, in the order in which they are looked for. */
const fileHints: readonly (readonly [file: string, runtime: string])[] = [
  ['package.json', 'node'],
  ['function_app.py', 'python'],
  ['requirements.txt', 'python'],
  ['pom.xml', 'java'],
  ['profile.ps1', 'powershell'],
];

/** Scripts of functions, which function.json names or which stand beside it. */
const scriptHints: readonly (readonly [script: RegExp, runtime: string])[] = [
  [/\.[cm]?js$/i, 'node'],
  [/\.py$/i, 'python'],
  [/\.psm?1$/i, 'powershell'],
  [/\.jar$/i, 'java'],
];

/** Reads `node` or `python:3.12`. Throws STACK_INVALID. */
export function parseStack(text: string): StackRequest {
  const [, runtime, version] = /^([a-z][a-z0-9-]{0,39})(?::([\w.-]{1,40}))?$/.exec(text) ?? [];
  if (runtime === undefined) throw controlErrors.create('STACK_INVALID', { text: text.slice(0, 80) });
  return { runtime, ...(version === undefined ? {} : { version }) };
}

/** Finds out what an app's folder is written in: its settings, else its files. Rejects with STACK_UNKNOWN. */
export async function findStack(directory: string, settings: ReadonlyMap<string, string>): Promise<StackRequest> {
  const configured = settings.get(settingName) ?? (await readLocalSettings(directory)).get(settingName);
  if (configured !== undefined && configured.trim() !== '') return parseStack(configured.trim().toLowerCase());
  if (await hasCustomHandler(directory)) return { runtime: 'custom' };
  for (const [file, runtime] of fileHints) if (await exists(join(directory, file))) return { runtime };
  const runtime = await runtimeOfScripts(directory);
  if (runtime !== undefined) return { runtime };
  throw controlErrors.create('STACK_UNKNOWN', { path: directory });
}

/** What the scripts of function.json files are written in; the first one that tells is believed. */
async function runtimeOfScripts(directory: string): Promise<string | undefined> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(directory, entry.name);
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes('function.json')) continue;
    const named = await scriptFileOf(join(folder, 'function.json'));
    const scripts = named === undefined ? names : [named];
    const hint = scriptHints.find(([script]) => scripts.some((name) => script.test(name)));
    if (hint !== undefined) return hint[1];
  }
  return undefined;
}

/** What is wrong with the file is told where the function is loaded. */
async function scriptFileOf(path: string): Promise<string | undefined> {
  try {
    const definition = parseJsonText(await readFile(path, 'utf8'), path);
    const named = isJsonObject(definition) ? readKey(definition, 'scriptFile') : undefined;
    return typeof named === 'string' && named !== '' ? named : undefined;
  } catch {
    return undefined;
  }
}

/** A developer's settings are a hint here and no more: what is wrong with them matters where they are used. */
async function readLocalSettings(directory: string): Promise<ReadonlyMap<string, string>> {
  try {
    const path = join(directory, 'local.settings.json');
    return parseLocalSettings(await readFile(path, 'utf8'), path).settings;
  } catch {
    return new Map();
  }
}

/** host.json has been read as JSON before. */
async function hasCustomHandler(directory: string): Promise<boolean> {
  const path = join(directory, 'host.json');
  const host = parseJsonText(await readFile(path, 'utf8'), path);
  return isJsonObject(host) && isJsonObject(readKey(host, 'customHandler'));
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
