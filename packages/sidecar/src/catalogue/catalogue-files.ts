/** The few things that the catalogue asks of a file system. Paths are absolute. */
export interface CatalogueFiles {
  /** The text of a file, or undefined when there is none. Rejects when it is there and cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** The names of the folders in a folder, sorted, or undefined when it is none. Rejects when it cannot be read. */
  listFolders(path: string): Promise<readonly string[] | undefined>;
  /** True when a file, not a folder, is there. */
  hasFile(path: string): Promise<boolean>;
}
