/** What a package may be. The server has limits of its own; these spare a useless upload. */
export const packingLimits = {
  /** Files in a package. */
  maxFiles: 100_000,
  /** All files of a package together, before they are compressed. */
  maxUnpackedBytes: 2 * 1024 ** 3,
  /** A file's path below the app's folder, in bytes of UTF-8. */
  maxPathBytes: 1_024,
  /** Folders within folders; links count as what they lead to. */
  maxDepth: 64,
  /** .funcignore, package.json and host.json are read whole. */
  maxConfigurationBytes: 1024 ** 2,
} as const;
