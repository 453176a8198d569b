/**
 * The files of an app's folder that make up its package, in the order in which they stand in it. Links are followed as
 * long as they stay within the folder; what .funcignore leaves out is not even looked at.
 */
import type { Dirent } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { packingErrors } from './errors.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { packingLimits } from './limits.ts';

/** One file of a package. */
export interface PackageFile {
  /** Relative to the app's folder, with slashes. */
  readonly path: string;
  /** Where its bytes are. */
  readonly source: string;
  readonly sizeBytes: number;
  /** True when its owner may execute it. */
  readonly isExecutable: boolean;
}

/** Rejects with what keeps a file from being packed. Ends early, with the signal's reason, when that aborts. */
export async function listPackageFiles(
  directory: string,
  rules: IgnoreRules,
  signal?: AbortSignal,
): Promise<readonly PackageFile[]> {
  const root = await realFolder(directory);
  const listing: Listing = { root, rules, signal, files: [], unpackedBytes: 0 };
  await listFolder(listing, { path: '', source: root, above: [root] });
  return inOrder(listing.files);
}

/** The same order everywhere: no locale has a say in it. */
export function inOrder(files: readonly PackageFile[]): readonly PackageFile[] {
  return files.toSorted((left, right) => compareCodeUnits(left.path, right.path));
}

function compareCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

interface Listing {
  /** The app's folder, without links. */
  readonly root: string;
  readonly rules: IgnoreRules;
  readonly signal: AbortSignal | undefined;
  readonly files: PackageFile[];
  unpackedBytes: number;
}

interface Folder {
  readonly path: string;
  readonly source: string;
  /** The real paths of the folder and of those that it stands in, links resolved. */
  readonly above: readonly string[];
}

/** The folder without links. Rejects when there is none. */
export async function realFolder(directory: string): Promise<string> {
  try {
    const root = await realpath(directory);
    if (!(await stat(root)).isDirectory()) throw new Error('it is a file');
    return root;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isAbsent ? 'there is nothing of that name' : messageOf(error);
    throw packingErrors.create('PACK_FOLDER_MISSING', { path: directory, reason }, error);
  }
}

async function listFolder(listing: Listing, folder: Folder): Promise<void> {
  listing.signal?.throwIfAborted();
  if (folder.above.length > packingLimits.maxDepth) throw tooLarge(packingLimits.maxDepth, 'folders within folders');
  const entries = await readdir(folder.source, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder.source, error);
  });
  for (const entry of entries) {
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
    const source = join(folder.source, entry.name);
    if (entry.isSymbolicLink()) await listLink(listing, folder, path, source);
    else await listEntry(listing, folder, path, source, entry);
  }
}

async function listEntry(listing: Listing, folder: Folder, path: string, source: string, entry: Dirent): Promise<void> {
  if (listing.rules.leavesOut(path, entry.isDirectory() ? 'folder' : 'file')) return;
  if (entry.isDirectory()) await listFolder(listing, { path, source, above: [...folder.above, source] });
  else if (entry.isFile()) await addFile(listing, path, source);
  else throw packingErrors.create('PACK_FILE_SPECIAL', { path: source });
}

/** Commands that packages bring for people: no app needs one that is not there, or not its own. */
const commandPath = /(?:^|\/)node_modules\/\.bin\/[^/]+$/;

/** A link stands for what it leads to. */
async function listLink(listing: Listing, folder: Folder, path: string, source: string): Promise<void> {
  if (listing.rules.leavesOut(path, 'file')) return;
  if (commandPath.test(path) && !(await leadsInto(listing.root, source))) return;
  const target = await realpath(source).catch(async (error: unknown) => {
    const details = { path: source, target: await readlink(source).catch(() => 'nowhere') };
    throw packingErrors.create('PACK_LINK_BROKEN', details, error);
  });
  const found = await stat(target).catch((error: unknown) => {
    throw unreadable(source, error);
  });
  if (found.isDirectory() && listing.rules.leavesOut(path, 'folder')) return;
  if (!isWithin(listing.root, target)) throw packingErrors.create('PACK_LINK_OUTSIDE', { path: source, target });
  if (found.isFile()) return addFile(listing, path, target);
  if (!found.isDirectory()) throw packingErrors.create('PACK_FILE_SPECIAL', { path: source });
  if (folder.above.includes(target)) throw packingErrors.create('PACK_LINK_ENDLESS', { path: source });
  await listFolder(listing, { path, source: target, above: [...folder.above, target] });
}

async function leadsInto(root: string, source: string): Promise<boolean> {
  return realpath(source).then(
    (target) => isWithin(root, target),
    () => false,
  );
}

function isWithin(root: string, target: string): boolean {
  return target === root || target.startsWith(`${root}${sep}`);
}

async function addFile(listing: Listing, path: string, source: string): Promise<void> {
  checkPath(path, source);
  const found = await stat(source).catch((error: unknown) => {
    throw unreadable(source, error);
  });
  listing.unpackedBytes += found.size;
  if (listing.files.length >= packingLimits.maxFiles) throw tooLarge(packingLimits.maxFiles, 'files');
  if (listing.unpackedBytes > packingLimits.maxUnpackedBytes) throw tooLarge(packingLimits.maxUnpackedBytes, 'bytes');
  listing.files.push({ path, source, sizeBytes: found.size, isExecutable: (found.mode & 0o100) !== 0 });
}

/** Archives know slashes only, and a name that is no UTF-8 would come out as another one. */
function checkPath(path: string, source: string): void {
  if (path.includes('\\')) throw unusable(source, 'its name holds a backslash');
  if (path.includes('\uFFFD')) throw unusable(source, 'its name is not UTF-8');
  if (/^[a-z]:/i.test(path)) throw unusable(source, 'its name begins like a drive of Windows');
  if (Buffer.byteLength(path) > packingLimits.maxPathBytes)
    throw unusable(source, `its path is longer than ${packingLimits.maxPathBytes} bytes`);
}

function unusable(path: string, reason: string): Error {
  return packingErrors.create('PACK_PATH_UNUSABLE', { path, reason });
}

function unreadable(path: string, error: unknown): Error {
  return packingErrors.create('PACK_FILE_UNREADABLE', { path, reason: messageOf(error) }, error);
}

function tooLarge(maximum: number, what: string): Error {
  return packingErrors.create('PACK_TOO_LARGE', { maximum, what });
}
