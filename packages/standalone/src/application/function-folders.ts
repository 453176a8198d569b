/**
 * Changes the folders of functions, as the admin API of the official host does: function.json and what stands beside it.
 *
 * Ownership: one per version of an app; it keeps nothing but whose turn it is, so that those of two versions do not disagree.
 *
 * I1 Nothing is written or removed outside of the function's own folder, whatever names a caller sends.
 * I2 A folder that holds no function.json, or is a link, is nobody's function: it is left alone.
 * I3 A folder is changed as a whole or not at all, and never to something that is no function.
 * I4 Changes are made one after the other, in the order in which they come; of too many the last ones are refused.
 */
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkFunctionName, type FunctionMetadata, parseFunctionJson } from '@switchyard/model';
import type { FunctionContent, FunctionFolders } from '@switchyard/runtime';
import { standaloneErrors } from '../errors.ts';
import { skippedFolders } from './function-files.ts';

export interface FunctionFoldersOptions {
  /** The app's folder. */
  readonly directory: string;
  /** The language of the app. */
  readonly runtime: string;
  /** The app's WEBSITE_RUN_FROM_PACKAGE: its files are somebody else's then. */
  readonly runsFromPackage: boolean;
  /** The folder of this name has changed. */
  readonly onChange: (name: string) => void;
}

const fileName = 'function.json';

/** Files of one function. */
const maxFiles = 500;

/** Changes that wait for their turn, and the one that has it. */
const maxEdits = 100;

/** Where a folder is made ready, beside the functions so that it is moved in one step; hidden, so that nobody watches it. */
const stagingPrefix = '.switchyard-edit-';

export function createFunctionFolders(options: FunctionFoldersOptions): FunctionFolders {
  const { directory, onChange } = options;
  let edits = 0;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
    if (edits >= maxEdits) throw refused(name, `${maxEdits} changes are under way`);
    edits += 1;
    const mine = last.then(work).finally(() => (edits -= 1));
    last = mine.catch(() => {});
    return mine;
  };
  const edit = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
    checkFunctionName(name, 'The path');
    if (skippedFolders.has(name.toLowerCase()))
      throw refused(name, 'functions are not looked for in a folder of that name');
    if (options.runsFromPackage) {
      throw refused(name, 'the setting WEBSITE_RUN_FROM_PACKAGE says that the app runs from a package');
    }
    try {
      return await inTurn(name, work);
    } catch (thrown) {
      throw isReadOnly(thrown) ? refused(name, `'${directory}' cannot be written`) : thrown;
    }
  };
  return {
    write: (name, content) =>
      edit(name, async () => {
        const folder = await findFolder(directory, name);
        const metadata = await replaceFolder(options, folder ?? name, folder !== undefined, content);
        onChange(metadata.name);
        return metadata;
      }),
    remove: (name) =>
      edit(name, async () => {
        const folder = await findFolder(directory, name);
        if (folder === undefined) return false;
        await inStaging(directory, (staging) => rename(join(directory, folder), join(staging, 'before')));
        onChange(folder);
        return true;
      }),
  };
}

/** The folder of a function, by its name in any case; undefined when there is none. */
async function findFolder(directory: string, name: string): Promise<string | undefined> {
  const names = await readdir(directory);
  const found = names.find((one) => one === name) ?? names.find((one) => one.toLowerCase() === name.toLowerCase());
  if (found === undefined) return undefined;
  const kind = await lstat(join(directory, found));
  if (!kind.isDirectory()) throw refused(name, `'${found}' in the app's folder is no folder of its own`);
  const files = await readdir(join(directory, found));
  if (files.length > 0 && !files.includes(fileName)) {
    throw refused(name, `the folder '${found}' holds no ${fileName}, so it is no function's`);
  }
  return found;
}

/** Makes everything ready beside the others, and puts it in its place when it is a function. */
async function replaceFolder(
  { directory, runtime }: FunctionFoldersOptions,
  name: string,
  isThere: boolean,
  { files, config }: FunctionContent,
): Promise<FunctionMetadata> {
  const target = join(directory, name);
  const texts = new Map(files);
  if (config !== undefined && !texts.has(fileName)) texts.set(fileName, config);
  checkFiles(name, texts);
  const keeps = files === undefined && isThere;
  const text = texts.get(fileName) ?? (isThere ? await readFile(join(target, fileName), 'utf8') : undefined);
  if (text === undefined) throw invalid(name, `there is neither a "config" nor a ${fileName}`);
  texts.set(fileName, text);
  const beside = keeps ? (await readdir(target, { withFileTypes: true })).filter((one) => !one.isDirectory()) : [];
  const names = new Set([...beside.map((one) => one.name), ...[...texts.keys()].filter((path) => !path.includes('/'))]);
  const parsed = parseFunctionJson({ name, directory: target, text, files: [...names] }, { runtime });
  if (parsed.kind === 'rejected') throw invalid(name, parsed.reason);
  await inStaging(directory, async (staging) => {
    const after = join(staging, 'after');
    for (const [path, content] of texts) {
      await mkdir(dirname(join(after, path)), { recursive: true });
      await writeFile(join(after, path), content);
    }
    if (keeps) await rename(join(after, fileName), join(target, fileName));
    else await swap(after, target, isThere ? join(staging, 'before') : undefined);
  });
  return parsed.function;
}

/** Puts a folder in the place of another one, which goes to `before`, and comes back when that fails. */
async function swap(after: string, target: string, before: string | undefined): Promise<void> {
  if (before !== undefined) await rename(target, before);
  try {
    await rename(after, target);
  } catch (thrown) {
    if (before !== undefined) await rename(before, target);
    throw thrown;
  }
}

/** Names that lead out of the folder, or that some file system reads in its own way, are refused. */
function checkFiles(name: string, files: ReadonlyMap<string, unknown>): void {
  if (files.size > maxFiles) throw invalid(name, `it has ${files.size} files, and ${maxFiles} are the most`);
  for (const path of files.keys()) {
    const isPlain = path.split('/').every((part) => /^[^\\:\0]{1,255}$/.test(part) && part !== '.' && part !== '..');
    if (!isPlain) throw invalid(name, `'${path.slice(0, 200)}' is no path of a file within its folder`);
  }
}

/** Works with a folder that is gone afterwards, with all that was moved into it. */
async function inStaging(directory: string, work: (staging: string) => Promise<void>): Promise<void> {
  const staging = await mkdtemp(join(directory, stagingPrefix));
  try {
    await work(staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function isReadOnly(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && ['EROFS', 'EACCES', 'EPERM'].includes(String(thrown.code));
}

function refused(name: string, reason: string): Error {
  return standaloneErrors.create('FUNCTION_FOLDER_REFUSED', { name, reason });
}

function invalid(name: string, reason: string): Error {
  return standaloneErrors.create('FUNCTION_FOLDER_INVALID', { name, reason });
}
