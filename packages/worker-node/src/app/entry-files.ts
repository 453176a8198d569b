import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isPattern, matchFiles } from './glob.ts';

const extensions = ['.js', '.cjs', '.mjs'];

/**
 * The files that `main` names, relative to the app's folder. A plain path may leave out its extension, or name a
 * folder with an index file, as everywhere in Node.js. Of a folder without one, every script below it counts, as in the
 * official worker.
 */
export function findEntryFiles(directory: string, main: string): string[] {
  const pattern = main.replaceAll('\\', '/');
  const files = matchFiles(directory, pattern);
  if (files.length > 0 || isPattern(pattern)) return files;
  const path = pattern.replace(/\/+$/, '');
  for (const candidate of [...extensions.map((one) => path + one), ...extensions.map((one) => `${path}/index${one}`)]) {
    const found = matchFiles(directory, candidate);
    if (found.length > 0) return found;
  }
  return matchFiles(directory, `${path}/**/*{${extensions.join(',')}}`);
}

/** True for an app of function.json files, which needs no entry file. */
export function hasFunctionJson(directory: string): boolean {
  try {
    return readdirSync(directory, { withFileTypes: true }).some(
      (entry) => entry.isDirectory() && existsSync(join(directory, entry.name, 'function.json')),
    );
  } catch {
    return false;
  }
}
