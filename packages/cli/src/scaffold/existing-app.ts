import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, parseJsonText } from '@switchyard/model';
import { cliErrors } from '../errors.ts';
import type { Language, Model } from './choices.ts';

/** An app as its files tell it, as far as a new function must fit in. */
export interface ExistingApp {
  readonly directory: string;
  readonly language: Language;
  readonly model: Model;
  /** How its `.js` files are loaded. */
  readonly modules: 'commonjs' | 'module';
  /** The files that register functions, as package.json names them. */
  readonly main: string | undefined;
}

/** Looks at a folder. Rejects with NOT_AN_APP, or JSON_INVALID with the place in package.json. */
export async function readExistingApp(directory: string): Promise<ExistingApp> {
  if (!(await isFile(join(directory, 'host.json')))) throw notAnApp(directory, 'host.json');
  const hasFunctionJson = await holdsFunctionJson(directory);
  const manifest = await readManifest(join(directory, 'package.json'));
  if (manifest === undefined && !hasFunctionJson) throw notAnApp(directory, 'package.json');
  const { type, main } = manifest ?? {};
  return {
    directory,
    language: (await isFile(join(directory, 'tsconfig.json'))) ? 'typescript' : 'javascript',
    model: hasFunctionJson || isOldModel(manifest ?? {}) ? 'v3' : 'v4',
    modules: type === 'module' ? 'module' : 'commonjs',
    main: typeof main === 'string' && main !== '' ? main : undefined,
  };
}

/** True without the library of the v4 model: an older one, or none and nothing that would load its functions. */
function isOldModel(manifest: JsonObject): boolean {
  const ranges = [manifest.dependencies, manifest.devDependencies].map((section) =>
    isJsonObject(section) && Object.hasOwn(section, '@azure/functions') ? section['@azure/functions'] : undefined,
  );
  const range = ranges.find((found) => typeof found === 'string');
  return range === undefined ? manifest.main === undefined : /^[\^~>=v\s]*[123](\.|$)/.test(String(range));
}

async function holdsFunctionJson(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules');
  const found = await Promise.all(folders.map(({ name }) => isFile(join(directory, name, 'function.json'))));
  return found.includes(true);
}

async function readManifest(path: string): Promise<JsonObject | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = parseJsonText(text, path);
  return isJsonObject(manifest) ? manifest : {};
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function notAnApp(path: string, missing: string): Error {
  return cliErrors.create('NOT_AN_APP', { path, missing });
}
