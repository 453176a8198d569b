import { globSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { exists, readAppFile } from './app-folder.ts';

/**
 * What to tell of a TypeScript app that nobody has built: its `main` names files that the compiler writes, and there are
 * none. Undefined when there is nothing to tell; a package.json that is no JSON is for the worker to complain about.
 */
export async function missingBuildNote(directory: string, runtime: string): Promise<string | undefined> {
  if (runtime !== 'node' || !(await exists(join(directory, 'tsconfig.json')))) return undefined;
  const manifest = parse(await readAppFile(directory, 'package.json'));
  const { main, scripts } = manifest;
  if (typeof main !== 'string' || main === '' || matchesFile(directory, main)) return undefined;
  const build = isJsonObject(scripts) && typeof scripts.build === 'string' ? 'npm run build' : 'npx tsc';
  return `The TypeScript in '${directory}' is not built: no file matches "main": "${main}" of its package.json. Run '${build}' there.`;
}

function parse(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const manifest = parseJsonText(text ?? '{}', 'package.json');
    return isJsonObject(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

/** As the worker looks: a plain path may leave its extension out, or name a folder. */
function matchesFile(directory: string, main: string): boolean {
  const pattern = main.replaceAll('\\', '/').replace(/\/+$/, '');
  const patterns = [pattern, ...['.js', '.cjs', '.mjs', '/**/*.{js,cjs,mjs}'].map((end) => `${pattern}${end}`)];
  return globSync(patterns, { cwd: directory, withFileTypes: true }).some((entry) => entry.isFile());
}
