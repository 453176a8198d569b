/** Where the bytes of deployed apps are kept, by their hash. */
import type { PlatformError } from '@switchyard/kernel';

export interface PackageStore {
  /**
   * Takes a package in as it streams. Nothing is visible before the last byte is there and the hash is right. The same
   * package twice, at the same time too, is fine.
   */
  put(sha256: string, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<PutPackageOutcome>;
  /** The size of a package, without looking at its bytes; undefined when there is none. */
  sizeOf(sha256: string): Promise<number | undefined>;
  /** The path of a package, without looking at its bytes, for readers that check them; undefined when there is none. */
  pathOf(sha256: string): Promise<string | undefined>;
  /**
   * The path of a package whose bytes were checked just now; undefined when there is none.
   * @throws PlatformError PACKAGE_DAMAGED; the damaged file is put aside, so that a new upload takes its place.
   */
  locate(sha256: string): Promise<string | undefined>;
  /**
   * The bytes of a package, checked as they go: the last chunk is only given out when the hash of all is right, so a
   * reader that got everything got the right bytes. Undefined when there is none.
   */
  open(sha256: string): Promise<OpenPackage | undefined>;
  /**
   * Removes the packages that `isReferenced` denies and that are older than the grace period (a package is uploaded
   * before it is deployed), and what interrupted uploads left. Answers with the hashes of what is gone.
   */
  collect(isReferenced: (sha256: string) => boolean): Promise<readonly string[]>;
}

export interface OpenPackage {
  readonly sizeBytes: number;
  /** @throws PlatformError PACKAGE_DAMAGED before the last chunk when the bytes are not those of the hash. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export type PutPackageOutcome =
  | { readonly kind: 'stored'; readonly sizeBytes: number; readonly isNew: boolean }
  /** The bytes are not those that the hash promised, or are too many. */
  | { readonly kind: 'refused'; readonly error: PlatformError };
