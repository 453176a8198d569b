/** Releases of Node.js beside our own, for apps that want another one: packages of the registry, in a folder of the installation. */
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';

export interface NodeRelease {
  /** The whole version: `22.22.3`. */
  readonly version: string;
  /** The program. */
  readonly path: string;
}

/** Runs a program to its end. Rejects with what it printed when it fails. */
export type RunProgram = (words: readonly string[], options: { readonly timeoutMs: number }) => Promise<string>;

export interface InstallNodeDeps {
  readonly run: RunProgram;
  readonly platform: string;
  readonly architecture: string;
}

/** A download of some 40 MB, on a slow line. */
const installMs = 10 * 60_000;

const probeMs = 20_000;

/** The folder of the releases of an installation. Everyone may read it, so that users of tenants can. */
export function nodeReleasesFolder(dataFolder: string): string {
  return `${dataFolder}-nodes`;
}

/** The releases that are there, newest first. A folder that is no release is left out. */
export async function findNodeReleases(folder: string): Promise<readonly NodeRelease[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(names.map((name) => readRelease(join(folder, name))));
  return found
    .filter((release) => release !== undefined)
    .sort((one, other) => other.version.localeCompare(one.version, 'en', { numeric: true }));
}

async function readRelease(folder: string): Promise<NodeRelease | undefined> {
  const where = join(folder, 'release.json');
  try {
    const release = parseJsonText(await readFile(where, 'utf8'), where);
    if (!isJsonObject(release) || typeof release.version !== 'string' || typeof release.program !== 'string')
      return undefined;
    const path = join(folder, release.program);
    await access(path);
    return { version: release.version, path };
  } catch {
    return undefined;
  }
}

/** An empty npm project, in which the release is put together. */
async function makeDraft(folder: string, draft: string): Promise<void> {
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o755 });
    await writeFile(join(draft, 'package.json'), '{ "private": true }\n');
  } catch (error) {
    throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path: folder, reason: messageOf(error) }, error);
  }
}

/**
 * Fetches a release: `22` is the newest 22, `22.11.0` that one. One that is there already is replaced by a newer one of the
 * same major version, whole or not at all.
 * @throws PlatformError NODE_RELEASE_INVALID, NODE_RELEASE_UNAVAILABLE, DATA_FOLDER_UNWRITABLE
 */
export async function installNodeRelease(deps: InstallNodeDeps, folder: string, version: string): Promise<NodeRelease> {
  const major = /^v?(\d{2})(?:\.\d+){0,2}$/.exec(version)?.[1];
  if (major === undefined || Number(major) < 20) throw standaloneErrors.create('NODE_RELEASE_INVALID', { version });
  const name = `node-${deps.platform === 'win32' ? 'win' : deps.platform}-${deps.architecture}`;
  const draft = join(folder, `.${major}.new`);
  await makeDraft(folder, draft);
  try {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', draft];
    await deps.run(['npm', 'install', ...quiet, `${name}@${version.replace(/^v/, '')}`], { timeoutMs: installMs });
    const program = join('node_modules', name, 'bin', deps.platform === 'win32' ? 'node.exe' : 'node');
    const told = (await deps.run([join(draft, program), '--version'], { timeoutMs: probeMs })).trim();
    await writeFile(join(draft, 'release.json'), `${JSON.stringify({ version: told.replace(/^v/, ''), program })}\n`);
    const place = join(folder, major);
    await rm(place, { recursive: true, force: true });
    await rename(draft, place);
    return { version: told.replace(/^v/, ''), path: join(place, program) };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw standaloneErrors.create('NODE_RELEASE_UNAVAILABLE', { version, name, reason: messageOf(error) }, error);
  }
}
