/**
 * Watches a tree of folders, one watch per folder.
 *
 * A recursive watch of the system would look into node_modules too (on Linux Node watches every single file below), so
 * the tree is walked here, by the rules, and follows the folders that come and go.
 *
 * Phases: Opening -> Watching -> Closed; a watch that cannot be had ends Opening or Watching with `onExhausted`, and the
 * owner looks for another way. Ownership: whoever opens it closes it.
 *
 * I1 Every change of a file in a folder that the rules enter is reported, also in folders that came later.
 * I2 A folder that comes is reported with the files in it, one that goes by its own path.
 * I3 No folder is entered twice, so links that lead back up end there.
 * I4 No more than `maxFolders` are watched; the first that is left out is reported once.
 * I5 After `close`, or once the watches are exhausted, nothing is reported and no watch is left.
 */
import { join } from 'node:path';
import { messageOf, StateMachine } from '@switchyard/kernel';
import type { FolderPort } from './folder-port.ts';

export interface TreeWatchOptions {
  readonly root: string;
  readonly entersFolder: (path: string) => boolean;
  readonly maxFolders: number;
  /** A file may have changed, come or gone. Paths are relative to the root, with slashes. */
  readonly onChange: (path: string) => void;
  /** A folder went, with whatever was in it. */
  readonly onGone: (path: string) => void;
  readonly onFull: (path: string) => void;
  /** A watch could not be had, or broke. */
  readonly onExhausted: (reason: string) => void;
}

interface Watched {
  readonly watch: { close(): void };
  readonly realPath: string;
}

/** A folder and where it really stands. */
interface Place {
  readonly path: string;
  readonly realPath: string;
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'watching' }
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'closed' };

const edges = {
  opening: ['watching', 'exhausted', 'closed'],
  watching: ['exhausted', 'closed'],
  exhausted: ['closed'],
  closed: [],
} as const;

export class TreeWatch {
  readonly #folders: FolderPort;
  readonly #options: TreeWatchOptions;
  readonly #machine = new StateMachine<State>({ kind: 'opening' }, edges);
  readonly #watched = new Map<string, Watched>();
  readonly #realPaths = new Set<string>();
  /** Entries that came or went, until they were looked at. */
  readonly #unseen = new Set<string>();
  #looking: Promise<void> | undefined;
  #isFull = false;

  constructor(folders: FolderPort, options: TreeWatchOptions) {
    this.#folders = folders;
    this.#options = options;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** Resolves when the whole tree is watched, or when that has failed and was reported. */
  async open(): Promise<void> {
    await this.#enterAll('', await this.#realPathOf(''));
    if (this.#machine.kind === 'opening') this.#machine.transition({ kind: 'watching' });
  }

  close(): void {
    if (this.#machine.kind !== 'closed') this.#machine.transition({ kind: 'closed' });
    this.#closeWatches();
  }

  /** Resolves when everything that came or went so far was looked at. */
  async settled(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
  }

  get #isOpen(): boolean {
    return this.#machine.kind === 'opening' || this.#machine.kind === 'watching';
  }

  /** Watches the folder and those below, the ones behind links last. Returns the files that are there. */
  async #enterAll(path: string, realPath: string): Promise<readonly string[]> {
    const links: Place[] = [{ path, realPath }];
    const files: string[] = [];
    for (const place of links) files.push(...(await this.#enter(place, links)));
    return files;
  }

  async #enter({ path, realPath }: Place, links: Place[]): Promise<readonly string[]> {
    if (!this.#isOpen || this.#watched.has(path) || this.#realPaths.has(realPath) || !this.#hasRoom(path)) return [];
    const watch = this.#watch(path);
    if (watch === undefined) return [];
    this.#watched.set(path, { watch, realPath });
    this.#realPaths.add(realPath);
    const files: string[] = [];
    for (const entry of await this.#folders.list(join(this.#options.root, path))) {
      const child = childOf(path, entry.name);
      if (entry.kind === 'file') files.push(child);
      else if (!this.#options.entersFolder(child)) continue;
      else if (entry.realPath !== undefined) links.push({ path: child, realPath: entry.realPath });
      else files.push(...(await this.#enter({ path: child, realPath: join(realPath, entry.name) }, links)));
    }
    return files;
  }

  #realPathOf(path: string): Promise<string> {
    return this.#folders.realPath(join(this.#options.root, path));
  }

  #hasRoom(path: string): boolean {
    if (this.#watched.size < this.#options.maxFolders) return true;
    if (!this.#isFull) this.#options.onFull(path);
    this.#isFull = true;
    return false;
  }

  #watch(path: string): Watched['watch'] | undefined {
    try {
      return this.#folders.watch(join(this.#options.root, path), {
        changed: (what, name) => this.#changed(path, what, name),
        failed: (error) => this.#failed(path, error),
      });
    } catch (thrown) {
      this.#failed(path, thrown);
      return undefined;
    }
  }

  /** A folder that is gone needs no watch; anything else is a watch that is missing. */
  #failed(path: string, thrown: unknown): void {
    const code = (thrown as NodeJS.ErrnoException).code ?? '';
    if (path !== '' && ['ENOENT', 'ENOTDIR', 'EPERM'].includes(code)) {
      this.#leave(path);
      return;
    }
    if (!this.#machine.allows('exhausted')) return;
    this.#machine.transition({ kind: 'exhausted' });
    this.#closeWatches();
    this.#options.onExhausted(messageOf(thrown));
  }

  #changed(folder: string, what: 'listed' | 'content', name: string): void {
    if (!this.#isOpen) return;
    const path = childOf(folder, name.replaceAll('\\', '/'));
    this.#options.onChange(path);
    if (what === 'content' || !this.#options.entersFolder(path)) return;
    this.#unseen.add(path);
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Follows folders that came or went. */
  async #look(): Promise<void> {
    for (const path of this.#unseen) {
      this.#unseen.delete(path);
      const isKnown = this.#watched.has(path);
      const isFolder = (await this.#folders.kindOf(join(this.#options.root, path))) === 'folder';
      // A folder of the same name may be another one than before, whose watch is dead.
      if (isKnown) this.#leave(path);
      const files = isFolder ? await this.#enterAll(path, await this.#realPathOf(path)) : [];
      if (!this.#isOpen) return;
      for (const file of files) this.#options.onChange(file);
      if (isKnown && !isFolder) this.#options.onGone(path);
    }
  }

  #leave(path: string): void {
    for (const [known, { watch, realPath }] of this.#watched) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      watch.close();
      this.#watched.delete(known);
      this.#realPaths.delete(realPath);
    }
  }

  #closeWatches(): void {
    for (const { watch } of this.#watched.values()) watch.close();
    this.#watched.clear();
    this.#realPaths.clear();
  }
}

function childOf(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
