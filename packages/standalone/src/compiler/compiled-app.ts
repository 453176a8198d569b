import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { readAppFile } from '../application/app-folder.ts';
import type { FolderPort } from '../reload/folder-port.ts';
import { listFiles } from '../reload/list-files.ts';
import type { WatchRules } from '../reload/watch-rules.ts';
import { ownBuildOf } from './own-build.ts';

/** What an app's own files say of how it is built. */
export interface ProjectFacts {
  /** `main` of package.json. */
  readonly main: string | undefined;
  /** Where TypeScript writes what `main` names, relative to the app's folder; undefined when `main` is no output. */
  readonly outDir: string | undefined;
  /** What builds the app where the TypeScript compiler alone does not. */
  readonly ownBuild?: string | undefined;
}

/** Where projects write that do not say so in the tsconfig.json itself, because it extends another one. */
const customaryOutputs: ReadonlySet<string> = new Set(['dist', 'out', 'build', 'lib']);

/** Reads package.json and tsconfig.json. Files that are missing or broken say nothing: others complain of them. */
export async function readProjectFacts(directory: string): Promise<ProjectFacts> {
  const [manifest, config] = await Promise.all([
    readJsonObject(directory, 'package.json'),
    readJsonObject(directory, 'tsconfig.json'),
  ]);
  const main = typeof manifest?.main === 'string' && manifest.main !== '' ? toPath(manifest.main) : undefined;
  const outDir = main === undefined || config === undefined ? undefined : outDirOf(main, config);
  return { main, outDir, ownBuild: ownBuildOf(manifest?.scripts) };
}

/** Where the output of an app's compiler stands. */
export type OutputState = 'missing' | 'stale' | 'fresh';

/** Compares the newest source with the newest output. */
export async function inspectOutput(
  folders: Pick<FolderPort, 'list' | 'stamp'>,
  directory: string,
  outDir: string,
  rules: WatchRules,
): Promise<OutputState> {
  const newest = { source: 0, output: 0 };
  for await (const { path, stamp } of listFiles(folders, directory, rules)) {
    const side = path.startsWith(`${outDir}/`) ? 'output' : rules.kindOf(path) === 'source' ? 'source' : undefined;
    if (side !== undefined) newest[side] = Math.max(newest[side], stamp.writtenMs);
  }
  if (newest.output === 0) return 'missing';
  return newest.source > newest.output ? 'stale' : 'fresh';
}

/** The script of the TypeScript compiler that is installed for the app; undefined when there is none. */
export function findTypeScript(directory: string): string | undefined {
  try {
    const require = createRequire(join(directory, 'package.json'));
    return join(require.resolve('typescript/package.json'), '..', 'bin', 'tsc');
  } catch {
    return undefined;
  }
}

function outDirOf(main: string, config: Readonly<Record<string, unknown>>): string | undefined {
  const options = isJsonObject(config.compilerOptions) ? config.compilerOptions : {};
  if (options.noEmit === true || options.emitDeclarationOnly === true) return undefined;
  if (typeof options.outDir === 'string') {
    const outDir = toPath(options.outDir);
    return outDir !== '' && main.startsWith(`${outDir}/`) ? outDir : undefined;
  }
  const [first = ''] = main.split('/');
  return typeof config.extends === 'string' && customaryOutputs.has(first) ? first : undefined;
}

async function readJsonObject(directory: string, name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const text = await readAppFile(directory, name);
    const value = text === undefined ? undefined : parseJsonText(text, name);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** With slashes, without `./` in front and slashes at the end. */
function toPath(path: string): string {
  return path
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '');
}
