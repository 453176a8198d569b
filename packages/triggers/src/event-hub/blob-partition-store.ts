/**
 * Ownership and checkpoints of partitions as blobs, in the layout of the official host, so that an app that moves goes on
 * where it was: container `azure-webjobs-eventhub`, `{namespace}/{hub}/{group}/{ownership|checkpoint}/{partition}` in
 * lower case, and all that there is to know in the metadata of empty blobs.
 *
 * I1 A partition is claimed under the ETag that was seen, or as a new blob: of two that want it one gets it.
 * I2 The container is created when it is first found missing.
 */
import type { BlobItem, BlobMetadata, BlobService, BlobWriteResult } from '../blob/blob-client.ts';
import { type CallDeps, callUntilDone } from '../storage/storage-call.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type { EventHubPlace, PartitionCheckpoint, PartitionStore } from './event-hub-client.ts';

const containerName = 'azure-webjobs-eventhub';

/** As many as the service lists at once; a hub has fewer partitions. */
const maxBlobs = 5_000;

/** Tries per request; ownership and checkpoints are written again and again anyway. */
const maxTries = 2;

type Kind = 'ownership' | 'checkpoint';

export function createBlobPartitionStore(
  deps: CallDeps & { readonly blobs: BlobService },
  storage: StorageConnection,
  place: EventHubPlace,
): PartitionStore {
  const container = deps.blobs.open(storage, containerName);
  const folder = [place.connection.namespace, place.hub, place.consumerGroup].join('/').toLowerCase();
  const nameOf = (kind: Kind, partitionId: string): string => `${folder}/${kind}/${partitionId}`;
  const ask = <T>(operation: string, name: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    callUntilDone(deps, { operation, resource: `blob '${containerName}/${name}'` }, maxTries, call);

  const list = async (kind: Kind): Promise<readonly Entry[]> => {
    const prefix = `${folder}/${kind}/`;
    const page = await ask('list', prefix, (signal) =>
      container.list({ maxBlobs, prefix, withMetadata: true }, signal),
    );
    return page.kind === 'missing' ? [] : page.blobs.map((blob) => toEntry(blob, prefix));
  };

  /** Writes a new blob, and the container with it. */
  const create = async (name: string, metadata: BlobMetadata, ifMissing: boolean): Promise<BlobWriteResult> => {
    const write = (): Promise<BlobWriteResult> =>
      ask('write', name, (signal) => container.write(name, new Uint8Array(), { metadata, ifMissing }, signal));
    const written = await write();
    if (written.kind !== 'missing') return written;
    await ask('create container for', name, (signal) => container.create(signal));
    return write();
  };

  return {
    async ownerships() {
      return (await list('ownership')).map(({ partitionId, blob, read }) => ({
        partitionId,
        ownerId: read('ownerid') ?? '',
        etag: blob.etag,
        lastModifiedMs: blob.lastModifiedMs,
      }));
    },
    async claim(partitionId, ownerId, etag) {
      const name = nameOf('ownership', partitionId);
      const metadata = new Map([['ownerid', ownerId]]);
      const written =
        etag === undefined
          ? await create(name, metadata, true)
          : await ask('claim', name, (signal) => container.writeMetadata(name, metadata, { ifMatch: etag }, signal));
      return written.kind === 'written';
    },
    async checkpoints() {
      return (await list('checkpoint')).flatMap(({ partitionId, read }): PartitionCheckpoint[] => {
        const offset = read('offset');
        const sequenceNumber = Number(read('sequencenumber') ?? Number.NaN);
        // One that was reset has neither: it is none.
        if (offset === undefined || offset === '') return [];
        return [{ partitionId, offset, sequenceNumber: Number.isNaN(sequenceNumber) ? -1 : sequenceNumber }];
      });
    },
    async advance({ partitionId, offset, sequenceNumber }) {
      const name = nameOf('checkpoint', partitionId);
      const metadata = new Map([
        ['offset', offset],
        ['sequencenumber', String(sequenceNumber)],
      ]);
      const changed = await ask('checkpoint', name, (signal) => container.writeMetadata(name, metadata, {}, signal));
      if (changed.kind === 'missing') await create(name, metadata, false);
    },
  };
}

interface Entry {
  readonly partitionId: string;
  readonly blob: BlobItem;
  /** A value of its metadata, whatever the case of its name. */
  read(name: string): string | undefined;
}

function toEntry(blob: BlobItem, prefix: string): Entry {
  const values = new Map([...(blob.metadata ?? [])].map(([name, value]) => [name.toLowerCase(), value]));
  return { partitionId: blob.name.slice(prefix.length), blob, read: (name) => values.get(name) };
}
