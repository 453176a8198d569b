/** Which file holds a function, and in which language (rules of the official host). */
import path from 'node:path';
import { modelErrors } from './errors.ts';

/** Files that are taken when a folder has several and function.json names none; `run.*` is one too. */
const primaryFiles = new Set(['index.js', 'index.mjs', 'index.cjs', '__init__.py']);

const languages: ReadonlyMap<string, string> = new Map([
  ['.js', 'node'],
  ['.mjs', 'node'],
  ['.cjs', 'node'],
  ['.py', 'python'],
  ['.jar', 'java'],
  ['.ps1', 'powershell'],
  ['.psm1', 'powershell'],
]);

/** The folder of a function.json. */
export interface ScriptFolder {
  readonly directory: string;
  readonly files: readonly string[];
}

/**
 * Finds the script: the one that function.json names (relative to its folder), else the only file beside function.json,
 * else `run.*`, `index.js`, `index.mjs`, `index.cjs` or `__init__.py`. Returns an absolute path.
 * @throws PlatformError SCRIPT_FILE_MISSING
 */
export function findScriptFile(folder: ScriptFolder, named: string | undefined, where: string): string {
  const others = folder.files.filter((file) => file.toLowerCase() !== 'function.json');
  if (named !== undefined && named !== '') {
    const isBeside = !/[\\/]/.test(named);
    if (isBeside && !folder.files.includes(named)) {
      const problem = `its "scriptFile" is "${named}", and the folder has no such file`;
      throw modelErrors.create('SCRIPT_FILE_MISSING', { where, problem });
    }
    return path.resolve(folder.directory, named);
  }
  const primary = others.length === 1 ? others[0] : others.find(isPrimary);
  if (primary !== undefined) return path.join(folder.directory, primary);
  const problem = others.length === 0 ? 'the folder has no other file' : "none of the folder's files stands out";
  throw modelErrors.create('SCRIPT_FILE_MISSING', { where, problem });
}

/**
 * The language of a script: the app's `runtime` (FUNCTIONS_WORKER_RUNTIME) when it has one, else by the extension.
 * @throws PlatformError SCRIPT_LANGUAGE_UNKNOWN, or SCRIPT_LANGUAGE_MISMATCH when the extension belongs to another runtime
 */
export function languageOf(scriptFile: string, runtime: string, where: string): string {
  const file = path.basename(scriptFile);
  const language = languages.get(path.extname(file).toLowerCase());
  if (runtime === '') {
    if (language !== undefined) return language;
    throw modelErrors.create('SCRIPT_LANGUAGE_UNKNOWN', { where, file, known: [...languages.keys()].join(' ') });
  }
  if (language === undefined || runtime === 'custom' || language === runtime) return runtime;
  throw modelErrors.create('SCRIPT_LANGUAGE_MISMATCH', { where, file, language, runtime });
}

function isPrimary(file: string): boolean {
  const lower = file.toLowerCase();
  return primaryFiles.has(lower) || path.parse(lower).name === 'run';
}
