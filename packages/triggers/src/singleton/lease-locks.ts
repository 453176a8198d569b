/**
 * Locks by the leases of blobs, in the official layout: container `azure-webjobs-hosts`, blob `locks/{hostId}/{lockId}`
 * (its BlobLeaseDistributedLockManager), so that our Runtimes and official hosts exclude one another.
 */
import type { Clock, Log, Random } from '@switchyard/kernel';
import type { BlobContainer, BlobService } from '../blob/blob-client.ts';
import { hostContainerName } from '../storage/host-storage.ts';
import { callUntilDone } from '../storage/storage-call.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { WakeUps } from '../storage/wake-ups.ts';
import { instantOf, LeaseLock } from './lease-lock.ts';
import { createProcessLocks } from './process-locks.ts';
import { type LockRequest, lockKey, type SingletonLock, type SingletonLocks } from './singleton-locks.ts';

export interface LeaseLocksDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly blobs: BlobService;
}

/** Tries per request; whoever wants the lock asks again later anyway. */
const maxTries = 2;

/** Makes the locks of a process: by leases for apps with storage, within the process for the others. */
export function createSingletonLocks(deps: LeaseLocksDeps): SingletonLocks {
  const processLocks = createProcessLocks();
  const wakeUps = new WakeUps();
  return {
    async acquire(request, signal) {
      const { connection } = request;
      if (connection === undefined) return processLocks.acquire(request, signal);
      return acquireLease(deps, { ...request, connection }, () => wakeUps.notify(lockKey(request)), signal);
    },
    watch: (name, freed) =>
      name.connection === undefined ? processLocks.watch(name, freed) : wakeUps.subscribe(lockKey(name), freed),
  };
}

async function acquireLease(
  deps: LeaseLocksDeps,
  request: LockRequest & { readonly connection: StorageConnection },
  released: () => void,
  signal: AbortSignal,
): Promise<SingletonLock | undefined> {
  const { hostId, lockId, periodMs } = request;
  const container = deps.blobs.open(request.connection, hostContainerName);
  const blobName = `locks/${hostId}/${lockId}`;
  const leaseId = deps.random.uuid();
  let grantedAt = instantOf(deps.clock);
  const tryOnce = (): ReturnType<BlobContainer['acquireLease']> => {
    const name = { operation: 'acquire lease', resource: `blob '${container.name}/${blobName}'` };
    const acquire = (abort: AbortSignal): ReturnType<BlobContainer['acquireLease']> => {
      // The service counts from the try that it answered, so that one's start counts for us.
      grantedAt = instantOf(deps.clock);
      return container.acquireLease(blobName, { leaseId, durationMs: periodMs }, abort);
    };
    return callUntilDone(deps, name, maxTries, acquire, { signal });
  };
  let result = await tryOnce();
  if (result === 'missing') {
    await createBlob(deps, container, blobName, signal);
    result = await tryOnce();
  }
  if (result !== 'acquired') return undefined;
  const log = deps.log.child({ category: 'Host.Singleton', lockId });
  return new LeaseLock({ ...deps, log, container, released }, { blobName, leaseId, periodMs, grantedAt });
}

/** Creates the blob, and the container with it. One that somebody else created meanwhile is as good. */
async function createBlob(
  deps: LeaseLocksDeps,
  container: BlobContainer,
  blobName: string,
  signal: AbortSignal,
): Promise<void> {
  const resource = `blob '${container.name}/${blobName}'`;
  const write = (abort: AbortSignal): ReturnType<BlobContainer['write']> =>
    container.write(blobName, new Uint8Array(), { ifMissing: true }, abort);
  const written = await callUntilDone(deps, { operation: 'write', resource }, maxTries, write, { signal });
  if (written.kind !== 'missing') return;
  const name = { operation: 'create', resource: `container '${container.name}'` };
  await callUntilDone(deps, name, maxTries, (abort) => container.create(abort), { signal });
  await callUntilDone(deps, { operation: 'write', resource }, maxTries, write, { signal });
}
