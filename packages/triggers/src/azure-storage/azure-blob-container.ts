/** One container of a real storage account. */
import type { BlobClient, BlobGetPropertiesResponse, ContainerClient } from '@azure/storage-blob';
import { isPlatformError } from '@switchyard/kernel';
import type {
  BlobCondition,
  BlobContainer,
  BlobMetadata,
  BlobMissing,
  BlobPage,
  BlobProperties,
  BlobReadResult,
  BlobRefused,
  BlobType,
  BlobWrite,
  BlobWriteResult,
  LeaseAcquireResult,
  LeaseRequest,
} from '../blob/blob-client.ts';
import { serviceCode, serviceStatus, toStorageFault } from './storage-fault.ts';

const missing: BlobMissing = { kind: 'missing' };
const refused: BlobRefused = { kind: 'refused' };

/** The service's answers that mean that a container or blob is not there, or not much longer. */
const missingCodes: ReadonlySet<string> = new Set(['BlobNotFound', 'ContainerNotFound', 'ContainerBeingDeleted']);

/** The service's answers to a write whose condition did not hold. */
const refusedCodes: ReadonlySet<string> = new Set([
  'BlobAlreadyExists',
  'ConditionNotMet',
  'UnauthorizedBlobOverwrite',
]);

/** How an answer that is no success is told to the caller. */
interface Otherwise<T> {
  readonly missing?: T;
  /** 409 and 412 where the caller named a condition or met a lease. */
  readonly refused?: T;
}

export class AzureBlobContainer implements BlobContainer {
  readonly name: string;
  readonly #open: () => Promise<ContainerClient>;
  #client: Promise<ContainerClient> | undefined;

  constructor(name: string, open: () => Promise<ContainerClient>) {
    this.name = name;
    this.#open = open;
  }

  list(query: Parameters<BlobContainer['list']>[0], abortSignal: AbortSignal): Promise<BlobPage | BlobMissing> {
    return this.#ask<BlobPage | BlobMissing>('list', undefined, { missing }, async (container) => {
      const { maxBlobs, continuation, prefix, withMetadata = false } = query;
      const pages = container
        .listBlobsFlat({ abortSignal, includeMetadata: withMetadata, ...(prefix === undefined ? {} : { prefix }) })
        .byPage({ maxPageSize: maxBlobs, ...(continuation === undefined ? {} : { continuationToken: continuation }) });
      for await (const page of pages) {
        return {
          kind: 'page',
          blobs: page.segment.blobItems.map(({ name, properties, metadata = {} }) => ({
            name,
            etag: quoted(properties.etag),
            lastModifiedMs: properties.lastModified.getTime(),
            type: toBlobType(properties.blobType),
            ...(withMetadata ? { metadata: new Map(Object.entries(metadata)) } : {}),
          })),
          continuation: page.continuationToken === '' ? undefined : page.continuationToken,
          serverTimeMs: page.date?.getTime() ?? 0,
        };
      }
      return { kind: 'page', blobs: [], continuation: undefined, serverTimeMs: 0 };
    });
  }

  read(
    name: string,
    query: { readonly maxBytes: number; readonly ifMatch?: string },
    abortSignal: AbortSignal,
  ): Promise<BlobReadResult> {
    return this.#ask<BlobReadResult>('read', name, { missing, refused }, async (container) => {
      const blob = container.getBlobClient(name);
      const { ifMatch, maxBytes } = query;
      const conditions = ifMatch === undefined ? {} : { ifMatch };
      const answer = await blob.download(0, undefined, { abortSignal, conditions });
      const sizeBytes = answer.contentLength ?? 0;
      const body = answer.readableStreamBody;
      if (sizeBytes > maxBytes) {
        if (body !== undefined && 'destroy' in body) body.on('error', () => {}).destroy();
        return { kind: 'too-large', sizeBytes };
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of body ?? []) chunks.push(Buffer.from(chunk));
      return { kind: 'found', bytes: Buffer.concat(chunks), properties: toProperties(blob, answer) };
    });
  }

  properties(name: string, abortSignal: AbortSignal): ReturnType<BlobContainer['properties']> {
    type Result = Awaited<ReturnType<BlobContainer['properties']>>;
    return this.#ask<Result>('get properties', name, { missing }, async (container) => {
      const blob = container.getBlobClient(name);
      return { kind: 'found', properties: toProperties(blob, await blob.getProperties({ abortSignal })) };
    });
  }

  readMetadata(name: string, abortSignal: AbortSignal): ReturnType<BlobContainer['readMetadata']> {
    type Result = Awaited<ReturnType<BlobContainer['readMetadata']>>;
    return this.#ask<Result>('get metadata', name, { missing }, async (container) => {
      // Of all names with this prefix the name itself comes first; a listing is XML and keeps the spelling.
      const pages = container.listBlobsFlat({ abortSignal, prefix: name, includeMetadata: true });
      for await (const page of pages.byPage({ maxPageSize: 1 })) {
        const [first] = page.segment.blobItems;
        if (first?.name === name) return { kind: 'found', metadata: new Map(Object.entries(first.metadata ?? {})) };
        break;
      }
      return missing;
    });
  }

  write(name: string, bytes: Uint8Array, write: BlobWrite, abortSignal: AbortSignal): Promise<BlobWriteResult> {
    return this.#ask<BlobWriteResult>('write', name, { missing, refused }, async (container) => {
      const answer = await container.getBlockBlobClient(name).upload(Buffer.from(bytes), bytes.byteLength, {
        abortSignal,
        conditions: toConditions(write),
        ...(write.contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: write.contentType } }),
        ...(write.metadata === undefined ? {} : { metadata: Object.fromEntries(write.metadata) }),
      });
      return { kind: 'written', etag: quoted(answer.etag) };
    });
  }

  writeMetadata(
    name: string,
    metadata: BlobMetadata,
    condition: BlobCondition,
    abortSignal: AbortSignal,
  ): Promise<BlobWriteResult> {
    return this.#ask<BlobWriteResult>('write metadata', name, { missing, refused }, async (container) => {
      const options = { abortSignal, conditions: toConditions(condition) };
      const answer = await container.getBlobClient(name).setMetadata(Object.fromEntries(metadata), options);
      return { kind: 'written', etag: quoted(answer.etag) };
    });
  }

  delete(name: string, condition: BlobCondition, abortSignal: AbortSignal): Promise<'deleted' | 'missing' | 'refused'> {
    type Result = 'deleted' | 'missing' | 'refused';
    return this.#ask<Result>('delete', name, { missing: 'missing', refused: 'refused' }, async (container) => {
      await container.getBlobClient(name).delete({ abortSignal, conditions: toConditions(condition) });
      return 'deleted';
    });
  }

  acquireLease(
    name: string,
    { leaseId, durationMs, ifMatch }: LeaseRequest,
    abortSignal: AbortSignal,
  ): Promise<LeaseAcquireResult> {
    const otherwise = { missing: 'missing', refused: 'taken' } as const;
    return this.#ask<LeaseAcquireResult>('acquire lease', name, otherwise, async (container) => {
      const client = container.getBlobClient(name).getBlobLeaseClient(leaseId);
      const conditions = ifMatch === undefined ? {} : { ifMatch };
      await client.acquireLease(Math.floor(durationMs / 1000), { abortSignal, conditions });
      return 'acquired';
    });
  }

  renewLease(name: string, leaseId: string, abortSignal: AbortSignal): Promise<'renewed' | 'lost'> {
    const otherwise = { missing: 'lost', refused: 'lost' } as const;
    return this.#ask<'renewed' | 'lost'>('renew lease', name, otherwise, async (container) => {
      await container.getBlobClient(name).getBlobLeaseClient(leaseId).renewLease({ abortSignal });
      return 'renewed';
    });
  }

  releaseLease(name: string, leaseId: string, abortSignal: AbortSignal): Promise<'released' | 'lost'> {
    const otherwise = { missing: 'lost', refused: 'lost' } as const;
    return this.#ask<'released' | 'lost'>('release lease', name, otherwise, async (container) => {
      await container.getBlobClient(name).getBlobLeaseClient(leaseId).releaseLease({ abortSignal });
      return 'released';
    });
  }

  breakLease(name: string, abortSignal: AbortSignal): Promise<'broken' | 'free' | 'missing'> {
    const otherwise = { missing: 'missing', refused: 'free' } as const;
    return this.#ask<'broken' | 'free' | 'missing'>('break lease', name, otherwise, async (container) => {
      await container.getBlobClient(name).getBlobLeaseClient().breakLease(0, { abortSignal });
      return 'broken';
    });
  }

  create(abortSignal: AbortSignal): Promise<void> {
    return this.#ask('create', undefined, {}, async (container) => {
      await container.createIfNotExists({ abortSignal });
    });
  }

  /** Makes a request. An answer that `otherwise` expects is a value; any other fault is a PlatformError. */
  async #ask<T>(
    operation: string,
    blobName: string | undefined,
    otherwise: Otherwise<T>,
    call: (container: ContainerClient) => Promise<T>,
  ): Promise<T> {
    this.#client ??= this.#open().catch((thrown) => {
      this.#client = undefined;
      throw thrown;
    });
    try {
      return await call(await this.#client);
    } catch (thrown) {
      const code = serviceCode(thrown) ?? '';
      if (otherwise.missing !== undefined && missingCodes.has(code)) return otherwise.missing;
      if (otherwise.refused !== undefined && isRefused(thrown, code)) return otherwise.refused;
      const resource = blobName === undefined ? `container '${this.name}'` : `blob '${this.name}/${blobName}'`;
      throw isPlatformError(thrown) ? thrown : toStorageFault({ operation, resource }, thrown);
    }
  }
}

/** True for an answer about a condition or a lease. */
function isRefused(thrown: unknown, code: string): boolean {
  const status = serviceStatus(thrown);
  return (status === 409 || status === 412) && (refusedCodes.has(code) || code.startsWith('Lease'));
}

function toConditions({ ifMatch, ifMissing, leaseId }: BlobCondition): {
  ifMatch?: string;
  ifNoneMatch?: string;
  leaseId?: string;
} {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifMissing === true ? { ifNoneMatch: '*' } : {}),
    ...(leaseId === undefined ? {} : { leaseId }),
  };
}

function toProperties(blob: BlobClient, answer: Partial<BlobGetPropertiesResponse>): BlobProperties {
  const headers = {
    ContentType: answer.contentType,
    ContentEncoding: answer.contentEncoding,
    ContentLanguage: answer.contentLanguage,
    ContentDisposition: answer.contentDisposition,
    CacheControl: answer.cacheControl,
    ContentHash: answer.contentMD5 === undefined ? undefined : Buffer.from(answer.contentMD5).toString('base64'),
    AccessTier: answer.accessTier,
    LeaseState: answer.leaseState,
    LeaseStatus: answer.leaseStatus,
  };
  return {
    etag: quoted(answer.etag),
    lastModifiedMs: answer.lastModified?.getTime() ?? 0,
    createdMs: answer.createdOn?.getTime(),
    sizeBytes: answer.contentLength ?? 0,
    type: toBlobType(answer.blobType),
    metadata: new Map(Object.entries(answer.metadata ?? {})),
    uri: blob.url.replace(/\?.*$/, ''),
    headers: Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => Boolean(entry[1])),
    ),
  };
}

function toBlobType(type: string | undefined): BlobType {
  if (type === 'AppendBlob') return 'Append';
  return type === 'PageBlob' ? 'Page' : 'Block';
}

/** Headers have an ETag in quotes, listings have it without. */
function quoted(etag: string | undefined): string {
  const text = etag ?? '';
  return text.startsWith('"') ? text : `"${text}"`;
}
