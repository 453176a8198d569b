import type { FileStamp, FolderEntry, FolderObserver, FolderPort } from '../reload/folder-port.ts';

/** A tree of folders in memory that a test changes; every change is told to whoever watches. */
export interface FakeFolders extends FolderPort {
  /** Writes a file; makes the folders on the way. */
  write(path: string): void;
  makeFolder(path: string): void;
  /** A link to a folder. */
  link(path: string, target: string): void;
  remove(path: string): void;
  /** Paths of the folders that are watched, sorted. */
  readonly watched: readonly string[];
  /** Makes `watch` throw from now on, or break the watches that there are. */
  exhaust(code: string): void;
  breakWatch(path: string, code: string): void;
}

type Node =
  | { readonly kind: 'file'; stamp: FileStamp }
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string };

export function createFakeFolders(root: string, files: readonly string[] = []): FakeFolders {
  const nodes = new Map<string, Node>([[root, { kind: 'folder' }]]);
  const watches = new Map<string, Set<FolderObserver>>();
  let exhausted: string | undefined;
  let writes = 0;

  const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const tell = (path: string, what: 'listed' | 'content'): void => {
    for (const observer of [...(watches.get(parentOf(path)) ?? [])]) observer.changed(what, nameOf(path));
  };
  const put = (path: string, node: Node): void => {
    const isNew = !nodes.has(path);
    nodes.set(path, node);
    tell(path, isNew ? 'listed' : 'content');
  };
  const makeFolder = (path: string): void => {
    if (path === root || nodes.has(path)) return;
    makeFolder(parentOf(path));
    put(path, { kind: 'folder' });
  };
  const write = (path: string): void => {
    makeFolder(parentOf(path));
    writes += 1;
    put(path, { kind: 'file', stamp: { writtenMs: writes, sizeBytes: 1, identity: 1 } });
  };
  const real = (path: string): string => {
    for (const [link, node] of nodes)
      if (node.kind === 'link' && (path === link || path.startsWith(`${link}/`)))
        return real(node.target + path.slice(link.length));
    return path;
  };
  for (const file of files) write(`${root}/${file}`);

  return {
    write,
    makeFolder,
    link: (path, target) => put(path, { kind: 'link', target }),
    remove(path) {
      for (const known of [...nodes.keys()].filter((one) => one === path || one.startsWith(`${path}/`))) {
        nodes.delete(known);
        watches.delete(known);
      }
      tell(path, 'listed');
    },
    get watched() {
      return [...watches].flatMap(([path, observers]) => (observers.size > 0 ? [path] : [])).sort();
    },
    exhaust(code) {
      exhausted = code;
    },
    breakWatch(path, code) {
      for (const observer of watches.get(path) ?? []) observer.failed(Object.assign(new Error(code), { code }));
    },
    watch(path, observer) {
      if (exhausted !== undefined) throw Object.assign(new Error(exhausted), { code: exhausted });
      const observers = watches.get(path) ?? new Set();
      watches.set(path, observers.add(observer));
      return { close: () => observers.delete(observer) };
    },
    async list(path) {
      const folder = real(path);
      const children = [...nodes].filter(([child]) => child !== root && parentOf(child) === folder);
      return children.map(([child, node]): FolderEntry => {
        if (node.kind === 'link') return { name: nameOf(child), kind: 'folder', realPath: real(node.target) };
        return { name: nameOf(child), kind: node.kind };
      });
    },
    async kindOf(path) {
      const node = nodes.get(real(path));
      return node === undefined ? undefined : node.kind === 'file' ? 'file' : 'folder';
    },
    async stamp(path) {
      const node = nodes.get(real(path));
      return node?.kind === 'file' ? node.stamp : undefined;
    },
    realPath: async (path) => real(path),
  };
}
