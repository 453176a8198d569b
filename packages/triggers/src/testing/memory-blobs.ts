/**
 * Blob storage in memory, on the test's clock, with the service's rules for conditions and leases. Tests make it fail,
 * look into it, and put blobs there. Times have whole seconds, as in the service.
 */
import type { Clock } from '@switchyard/kernel';
import type {
  BlobCondition,
  BlobContainer,
  BlobMetadata,
  BlobPage,
  BlobProperties,
  BlobService,
  BlobWrite,
  BlobWriteResult,
  LeaseAcquireResult,
  LeaseRequest,
} from '../blob/blob-client.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';

interface StoredBlob {
  bytes: Uint8Array;
  metadata: BlobMetadata;
  etag: string;
  contentType: string;
  lastModifiedMs: number;
  readonly createdMs: number;
  lease: { readonly id: string; readonly durationMs: number; untilMs: number } | undefined;
}

type Blobs = Map<string, StoredBlob>;

export type BlobOperation = Exclude<keyof BlobContainer, 'name'>;

/** What a request meets before it is carried out: nothing, an error, or a wait. */
export type BlobFault = (operation: BlobOperation, path: string) => Promise<void> | undefined;

const missing = { kind: 'missing' } as const;
const refused = { kind: 'refused' } as const;

/** The service gives no more per page. */
const maxPage = 5_000;

export class MemoryBlobs implements BlobService {
  /** Every request, as `operation container/blob`, in the order of arrival. */
  readonly requests: string[] = [];
  fault: BlobFault = () => undefined;
  readonly #clock: Clock;
  readonly #containers = new Map<string, Blobs>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(connection: StorageConnection, name: string): BlobContainer {
    const key = keyOf(connection, name);
    const ask = async <T>(
      operation: BlobOperation,
      blob: string | undefined,
      signal: AbortSignal,
      carryOut: () => T,
    ): Promise<T> => {
      signal.throwIfAborted();
      const path = blob === undefined ? name : `${name}/${blob}`;
      this.requests.push(`${operation} ${path}`);
      await this.fault(operation, path);
      signal.throwIfAborted();
      return carryOut();
    };
    return {
      name,
      list: (query, signal) => ask('list', undefined, signal, () => this.#list(key, query)),
      read: (blob, query, signal) => ask('read', blob, signal, () => this.#read(key, blob, query)),
      properties: (blob, signal) => ask('properties', blob, signal, () => this.#properties(key, blob)),
      readMetadata: (blob, signal) =>
        ask('readMetadata', blob, signal, () => {
          const stored = this.#find(key, blob);
          return stored === undefined ? missing : { kind: 'found' as const, metadata: stored.metadata };
        }),
      write: (blob, bytes, write, signal) => ask('write', blob, signal, () => this.#write(key, blob, bytes, write)),
      writeMetadata: (blob, metadata, condition, signal) =>
        ask('writeMetadata', blob, signal, () => this.#writeMetadata(key, blob, metadata, condition)),
      delete: (blob, condition, signal) => ask('delete', blob, signal, () => this.#delete(key, blob, condition)),
      acquireLease: (blob, lease, signal) => ask('acquireLease', blob, signal, () => this.#acquire(key, blob, lease)),
      renewLease: (blob, id, signal) => ask('renewLease', blob, signal, () => this.#renew(key, blob, id)),
      releaseLease: (blob, id, signal) =>
        ask('releaseLease', blob, signal, () => {
          const stored = this.#find(key, blob);
          if (stored === undefined || stored.lease?.id !== id) return 'lost';
          stored.lease = undefined;
          return 'released';
        }),
      breakLease: (blob, signal) =>
        ask('breakLease', blob, signal, () => {
          const stored = this.#find(key, blob);
          if (stored === undefined) return 'missing';
          if (!this.#isLeased(stored)) return 'free';
          stored.lease = undefined;
          return 'broken';
        }),
      create: (signal) => ask('create', undefined, signal, () => this.create(connection, name)),
    };
  }

  /** Creates a container, as somebody else would. */
  create(connection: StorageConnection, name: string): void {
    const key = keyOf(connection, name);
    if (!this.#containers.has(key)) this.#containers.set(key, new Map());
  }

  /** Removes a container with all it holds. */
  remove(connection: StorageConnection, name: string): void {
    this.#containers.delete(keyOf(connection, name));
  }

  /** Writes a blob, as somebody else would, and creates the container when it is missing. Returns its ETag. */
  put(
    connection: StorageConnection,
    path: string,
    content: string | Uint8Array = '',
    metadata: Record<string, string> = {},
  ): string {
    const slash = path.indexOf('/');
    const container = path.slice(0, slash);
    this.create(connection, container);
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const write = { metadata: new Map(Object.entries(metadata)) };
    const written = this.#write(keyOf(connection, container), path.slice(slash + 1), bytes, write);
    return written.kind === 'written' ? written.etag : '';
  }

  /** The names in a container, in order; undefined when there is no container. */
  names(connection: StorageConnection, container: string): readonly string[] | undefined {
    const blobs = this.#containers.get(keyOf(connection, container));
    return blobs === undefined ? undefined : [...blobs.keys()].sort();
  }

  /** A blob's content as text. */
  text(connection: StorageConnection, container: string, blob: string): string | undefined {
    const stored = this.#find(keyOf(connection, container), blob);
    return stored === undefined ? undefined : new TextDecoder().decode(stored.bytes);
  }

  /** A blob's metadata. */
  metadata(connection: StorageConnection, container: string, blob: string): BlobMetadata | undefined {
    return this.#find(keyOf(connection, container), blob)?.metadata;
  }

  /** Who holds the lease of a blob, if anybody does. */
  leaseOf(connection: StorageConnection, container: string, blob: string): string | undefined {
    const stored = this.#find(keyOf(connection, container), blob);
    return stored !== undefined && this.#isLeased(stored) ? stored.lease?.id : undefined;
  }

  /** How many requests of a kind there were. */
  count(operation: BlobOperation, path?: string): number {
    const wanted = path === undefined ? `${operation} ` : `${operation} ${path}`;
    return this.requests.filter((request) => (path === undefined ? request.startsWith(wanted) : request === wanted))
      .length;
  }

  #find(key: string, blob: string): StoredBlob | undefined {
    return this.#containers.get(key)?.get(blob);
  }

  #list(key: string, query: Parameters<BlobContainer['list']>[0]): BlobPage | typeof missing {
    const blobs = this.#containers.get(key);
    if (blobs === undefined) return missing;
    const { prefix = '', continuation = '' } = query;
    const rest = [...blobs].filter(([name]) => name.startsWith(prefix) && name > continuation);
    rest.sort(([left], [right]) => (left < right ? -1 : 1));
    const page = rest.slice(0, Math.min(query.maxBlobs, maxPage));
    return {
      kind: 'page',
      blobs: page.map(([name, { etag, lastModifiedMs, metadata }]) => ({
        name,
        etag,
        lastModifiedMs,
        type: 'Block',
        ...(query.withMetadata === true ? { metadata } : {}),
      })),
      continuation: page.length < rest.length ? page.at(-1)?.[0] : undefined,
      serverTimeMs: this.#wholeSeconds(),
    };
  }

  #read(
    key: string,
    blob: string,
    query: { readonly maxBytes: number; readonly ifMatch?: string },
  ): Awaited<ReturnType<BlobContainer['read']>> {
    const stored = this.#find(key, blob);
    if (stored === undefined) return missing;
    if (query.ifMatch !== undefined && query.ifMatch !== stored.etag) return refused;
    const sizeBytes = stored.bytes.byteLength;
    if (sizeBytes > query.maxBytes) return { kind: 'too-large', sizeBytes };
    return { kind: 'found', bytes: stored.bytes, properties: this.#describe(key, blob, stored) };
  }

  #properties(key: string, blob: string): Awaited<ReturnType<BlobContainer['properties']>> {
    const stored = this.#find(key, blob);
    return stored === undefined ? missing : { kind: 'found', properties: this.#describe(key, blob, stored) };
  }

  #describe(key: string, blob: string, stored: StoredBlob): BlobProperties {
    return {
      etag: stored.etag,
      lastModifiedMs: stored.lastModifiedMs,
      createdMs: stored.createdMs,
      sizeBytes: stored.bytes.byteLength,
      type: 'Block',
      metadata: new Map([...stored.metadata].map(([name, value]) => [name.toLowerCase(), value])),
      uri: `${key}/${blob}`,
      headers: {
        ContentType: stored.contentType,
        LeaseState: this.#isLeased(stored) ? 'leased' : 'available',
        LeaseStatus: this.#isLeased(stored) ? 'locked' : 'unlocked',
      },
    };
  }

  #write(key: string, blob: string, bytes: Uint8Array, write: BlobWrite): BlobWriteResult {
    const blobs = this.#containers.get(key);
    if (blobs === undefined) return missing;
    const stored = blobs.get(blob);
    if (stored !== undefined && (write.ifMissing === true || !this.#allows(stored, write))) return refused;
    if (stored === undefined && (write.ifMatch !== undefined || write.leaseId !== undefined)) return refused;
    const created: StoredBlob = {
      bytes: Uint8Array.from(bytes),
      metadata: new Map(write.metadata ?? []),
      etag: this.#nextEtag(),
      contentType: write.contentType ?? 'application/octet-stream',
      lastModifiedMs: this.#wholeSeconds(),
      createdMs: stored?.createdMs ?? this.#wholeSeconds(),
      lease: stored?.lease,
    };
    blobs.set(blob, created);
    return { kind: 'written', etag: created.etag };
  }

  #writeMetadata(key: string, blob: string, metadata: BlobMetadata, condition: BlobCondition): BlobWriteResult {
    const stored = this.#find(key, blob);
    if (stored === undefined) return missing;
    if (!this.#allows(stored, condition)) return refused;
    stored.metadata = new Map(metadata);
    stored.etag = this.#nextEtag();
    stored.lastModifiedMs = this.#wholeSeconds();
    return { kind: 'written', etag: stored.etag };
  }

  #delete(key: string, blob: string, condition: BlobCondition): 'deleted' | 'missing' | 'refused' {
    const stored = this.#find(key, blob);
    if (stored === undefined) return 'missing';
    if (!this.#allows(stored, condition)) return 'refused';
    this.#containers.get(key)?.delete(blob);
    return 'deleted';
  }

  #acquire(key: string, blob: string, lease: LeaseRequest): LeaseAcquireResult {
    const stored = this.#find(key, blob);
    if (stored === undefined) return 'missing';
    if (lease.ifMatch !== undefined && lease.ifMatch !== stored.etag) return 'taken';
    if (this.#isLeased(stored) && stored.lease?.id !== lease.leaseId) return 'taken';
    const untilMs = this.#clock.now() + lease.durationMs;
    stored.lease = { id: lease.leaseId, durationMs: lease.durationMs, untilMs };
    return 'acquired';
  }

  #renew(key: string, blob: string, leaseId: string): 'renewed' | 'lost' {
    const stored = this.#find(key, blob);
    if (stored?.lease === undefined || stored.lease.id !== leaseId) return 'lost';
    stored.lease.untilMs = this.#clock.now() + stored.lease.durationMs;
    return 'renewed';
  }

  #isLeased(stored: StoredBlob): boolean {
    return stored.lease !== undefined && stored.lease.untilMs > this.#clock.now();
  }

  /** True when the ETag is the wanted one, and the lease is the caller's or nobody's. */
  #allows(stored: StoredBlob, { ifMatch, leaseId }: BlobCondition): boolean {
    if (ifMatch !== undefined && ifMatch !== stored.etag) return false;
    return this.#isLeased(stored) ? stored.lease?.id === leaseId : leaseId === undefined;
  }

  #nextEtag(): string {
    this.#sequence += 1;
    return `"0x${this.#sequence.toString(16).toUpperCase().padStart(6, '0')}"`;
  }

  #wholeSeconds(): number {
    return Math.floor(this.#clock.now() / 1000) * 1000;
  }
}

function keyOf(connection: StorageConnection, container: string): string {
  return `${connection.queueEndpoint}/${container}`;
}
