/**
 * The operations on blob storage that triggers, bindings and locks need. The adapter of the storage library and the blobs
 * in memory pass one contract suite.
 *
 * What a container may well answer is a return value; a call rejects only when the service did not do its part, and then
 * with a PlatformError whose message holds no key and no signature. ETags always stand in their quotes, as the service
 * writes them in headers. Times are milliseconds since the Unix epoch, whole seconds where the service knows no more.
 */
import type { StorageConnection } from '../storage/storage-connection.ts';

/** Kinds of blobs, as the official host writes them. */
export type BlobType = 'Block' | 'Append' | 'Page';

/** Named texts of a blob. */
export type BlobMetadata = ReadonlyMap<string, string>;

/** What a listing tells of a blob. */
export interface BlobItem {
  readonly name: string;
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly type: BlobType;
  /** With the names as they were written, when the listing was asked for it. */
  readonly metadata?: BlobMetadata;
}

/** What the service knows of a blob beside its content. */
export interface BlobProperties {
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly createdMs: number | undefined;
  readonly sizeBytes: number;
  readonly type: BlobType;
  /** Names in lower case: HTTP headers do not keep the spelling. `readMetadata` does. */
  readonly metadata: BlobMetadata;
  /** The blob's address, without a signature. */
  readonly uri: string;
  /** `ContentType` and the like, by the names that the official host uses; only those with a value. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One page of a listing, in the order of the names. */
export interface BlobPage {
  readonly kind: 'page';
  readonly blobs: readonly BlobItem[];
  /** Where the next page begins; undefined at the end. */
  readonly continuation: string | undefined;
  /** The service's clock. */
  readonly serverTimeMs: number;
}

/** There is no such blob, or no such container. */
export interface BlobMissing {
  readonly kind: 'missing';
}

/** A condition did not hold: another ETag, a blob that exists already, or somebody else's lease. */
export interface BlobRefused {
  readonly kind: 'refused';
}

export type BlobReadResult =
  | { readonly kind: 'found'; readonly bytes: Uint8Array; readonly properties: BlobProperties }
  | BlobMissing
  | BlobRefused
  /** More than the caller wants to hold; nothing was read. */
  | { readonly kind: 'too-large'; readonly sizeBytes: number };

export type BlobWriteResult = { readonly kind: 'written'; readonly etag: string } | BlobMissing | BlobRefused;

/** The lease to take. */
export interface LeaseRequest {
  readonly leaseId: string;
  readonly durationMs: number;
  readonly ifMatch?: string;
}

export type LeaseAcquireResult = 'acquired' | 'taken' | 'missing';

/** Under which condition a request is carried out. */
export interface BlobCondition {
  readonly ifMatch?: string;
  /** Only when there is no such blob yet. */
  readonly ifMissing?: boolean;
  readonly leaseId?: string;
}

/** What is written beside the content. */
export interface BlobWrite extends BlobCondition {
  readonly contentType?: string;
  readonly metadata?: BlobMetadata;
}

/** One container. */
export interface BlobContainer {
  readonly name: string;
  /** Up to `maxBlobs` blobs (the service gives 5,000 at most), from `continuation` on. */
  list(
    query: {
      readonly maxBlobs: number;
      readonly continuation?: string | undefined;
      readonly prefix?: string;
      readonly withMetadata?: boolean;
    },
    signal: AbortSignal,
  ): Promise<BlobPage | BlobMissing>;
  /** The content, at most `maxBytes` of it. */
  read(
    name: string,
    query: { readonly maxBytes: number; readonly ifMatch?: string },
    signal: AbortSignal,
  ): Promise<BlobReadResult>;
  properties(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'found'; readonly properties: BlobProperties } | BlobMissing>;
  /** The metadata with the names as they were written. Costs a request of its own. */
  readMetadata(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'found'; readonly metadata: BlobMetadata } | BlobMissing>;
  /** Replaces content, type and metadata of a block blob. `missing`: there is no container. */
  write(name: string, bytes: Uint8Array, write: BlobWrite, signal: AbortSignal): Promise<BlobWriteResult>;
  /** Replaces all metadata. */
  writeMetadata(
    name: string,
    metadata: BlobMetadata,
    condition: Omit<BlobCondition, 'ifMissing'>,
    signal: AbortSignal,
  ): Promise<BlobWriteResult>;
  delete(
    name: string,
    condition: Omit<BlobCondition, 'ifMissing'>,
    signal: AbortSignal,
  ): Promise<'deleted' | 'missing' | 'refused'>;
  /**
   * Takes the lease for 15 to 60 s under an id that the caller chose (a UUID), so that a request whose answer was lost can
   * be made again. `taken`: somebody else has it, or the blob has another ETag than `ifMatch`.
   */
  acquireLease(name: string, lease: LeaseRequest, signal: AbortSignal): Promise<LeaseAcquireResult>;
  /** `lost`: the lease is somebody else's by now, or the blob is no more. */
  renewLease(name: string, leaseId: string, signal: AbortSignal): Promise<'renewed' | 'lost'>;
  releaseLease(name: string, leaseId: string, signal: AbortSignal): Promise<'released' | 'lost'>;
  /** Ends whoever's lease at once. */
  breakLease(name: string, signal: AbortSignal): Promise<'broken' | 'free' | 'missing'>;
  /** Creates the container; one that exists already is fine. */
  create(signal: AbortSignal): Promise<void>;
}

/** Opens containers. Opening is cheap and does no I/O. */
export interface BlobService {
  open(connection: StorageConnection, containerName: string): BlobContainer;
}
