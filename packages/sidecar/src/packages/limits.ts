/** What a package may cost. Durations in milliseconds. */
export interface PackageLimits {
  /** The zip file itself. */
  readonly packageBytes: number;
  /** All files of it, unpacked. */
  readonly unpackedBytes: number;
  readonly entries: number;
  /** The longest path of an entry, in characters. */
  readonly pathLength: number;
  /** From the call to the last file. */
  readonly openMs: number;
  /** The longest pause within a download. */
  readonly stallMs: number;
  /** What an opener that died has left behind is removed after this time. */
  readonly leftoverMs: number;
}

export const defaultPackageLimits: PackageLimits = {
  packageBytes: 2 * 1024 ** 3,
  unpackedBytes: 4 * 1024 ** 3,
  entries: 200_000,
  pathLength: 1_024,
  openMs: 600_000,
  stallMs: 30_000,
  leftoverMs: 3_600_000,
};
