import type { FileStamp, FolderEntry, FolderObserver, FolderPort } from '../reload/folder-port.ts';

type Node =
  | { readonly kind: 'file'; readonly stamp: FileStamp }
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string };

/** A tree of folders in memory that a test changes; every change is told to whoever watches. */
export class FakeFolders implements FolderPort {
  readonly #root: string;
  readonly #nodes: Map<string, Node>;
  readonly #watches = new Map<string, Set<FolderObserver>>();
  #exhausted: string | undefined;
  #writes = 0;

  constructor(root: string, files: readonly string[]) {
    this.#root = root;
    this.#nodes = new Map([[root, { kind: 'folder' }]]);
    for (const file of files) this.write(`${root}/${file}`);
  }

  /** Paths of the folders that are watched, sorted. */
  get watched(): readonly string[] {
    return [...this.#watches].flatMap(([path, observers]) => (observers.size > 0 ? [path] : [])).sort();
  }

  /** Writes a file; makes the folders on the way. */
  write(path: string): void {
    this.#makeFolder(parentOf(path));
    this.#writes += 1;
    this.#put(path, { kind: 'file', stamp: { writtenMs: this.#writes, sizeBytes: 1, identity: 1 } });
  }

  /** Makes a link to a folder. */
  link(path: string, target: string): void {
    this.#put(path, { kind: 'link', target });
  }

  remove(path: string): void {
    for (const known of [...this.#nodes.keys()].filter((one) => one === path || one.startsWith(`${path}/`))) {
      this.#nodes.delete(known);
      this.#watches.delete(known);
    }
    this.#tell(path, 'listed');
  }

  /** Makes every `watch` throw from now on. */
  exhaust(code: string): void {
    this.#exhausted = code;
  }

  /** Ends the watches of a folder. */
  breakWatch(path: string, code: string): void {
    for (const observer of this.#watches.get(path) ?? []) observer.failed(faultOf(code));
  }

  watch(path: string, observer: FolderObserver): { close(): void } {
    if (this.#exhausted !== undefined) throw faultOf(this.#exhausted);
    const observers = this.#watches.get(path) ?? new Set();
    this.#watches.set(path, observers.add(observer));
    return { close: () => observers.delete(observer) };
  }

  async list(path: string): Promise<readonly FolderEntry[]> {
    const folder = this.#real(path);
    const children = [...this.#nodes].filter(([child]) => child !== this.#root && parentOf(child) === folder);
    return children.map(([child, node]): FolderEntry => {
      if (node.kind !== 'link') return { name: nameOf(child), kind: node.kind };
      return { name: nameOf(child), kind: 'folder', realPath: this.#real(node.target) };
    });
  }

  async kindOf(path: string): Promise<FolderEntry['kind'] | undefined> {
    const node = this.#nodes.get(this.#real(path));
    return node?.kind === 'link' ? 'folder' : node?.kind;
  }

  async stamp(path: string): Promise<FileStamp | undefined> {
    const node = this.#nodes.get(this.#real(path));
    return node?.kind === 'file' ? node.stamp : undefined;
  }

  async realPath(path: string): Promise<string> {
    return this.#real(path);
  }

  #makeFolder(path: string): void {
    if (path === this.#root || this.#nodes.has(path)) return;
    this.#makeFolder(parentOf(path));
    this.#put(path, { kind: 'folder' });
  }

  #put(path: string, node: Node): void {
    const isNew = !this.#nodes.has(path);
    this.#nodes.set(path, node);
    this.#tell(path, isNew ? 'listed' : 'content');
  }

  #tell(path: string, what: 'listed' | 'content'): void {
    for (const observer of [...(this.#watches.get(parentOf(path)) ?? [])]) observer.changed(what, nameOf(path));
  }

  #real(path: string): string {
    for (const [link, node] of this.#nodes) {
      if (node.kind === 'link' && (path === link || path.startsWith(`${link}/`))) {
        return this.#real(node.target + path.slice(link.length));
      }
    }
    return path;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function faultOf(code: string): Error {
  return Object.assign(new Error(code), { code });
}
