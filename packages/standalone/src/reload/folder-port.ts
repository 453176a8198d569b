/** The file system as a watch sees it, so that its faults can be played in tests. */

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** The folder's path without links; only links to folders bring one. */
  readonly realPath?: string;
}

export interface FileStamp {
  readonly writtenMs: number;
  readonly sizeBytes: number;
  /** Another one when the file was replaced. */
  readonly identity: number;
}

/** What becomes of a folder's entries. */
export interface FolderObserver {
  /** `listed` when an entry came, went or was replaced; `content` when one was written to. */
  changed(what: 'listed' | 'content', name: string): void;
  /** The watch is over. */
  failed(error: Error): void;
}

export interface FolderPort {
  /** Watches the entries of one folder. Throws when it cannot, for example because the system has no watches left. */
  watch(path: string, observer: FolderObserver): { close(): void };
  /** Files and folders; nothing when the folder is gone or cannot be read. */
  list(path: string): Promise<readonly FolderEntry[]>;
  /** Undefined when nothing stands there. */
  kindOf(path: string): Promise<FolderEntry['kind'] | undefined>;
  /** What changes when a file is written; undefined when there is none. */
  stamp(path: string): Promise<FileStamp | undefined>;
  /** The path without links. */
  realPath(path: string): Promise<string>;
}
