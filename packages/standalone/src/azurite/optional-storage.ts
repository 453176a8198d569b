/**
 * Locks and timer statuses in the storage of an app, where it can be had. On a machine without the storage emulator the
 * timers of an app run all the same: its locks are then those of this process, its statuses files.
 *
 * I1 Nothing is asked of storage before it is known whether the emulator opens.
 * I2 An app whose storage is absent, or that names none, gets the locks of this process and the statuses of the fallback.
 */
import type { LockName, SingletonLocks, StorageConnection, TimerKey, TimerStatusStore } from '@switchyard/triggers';
import { emulatorOf } from './development-storage.ts';
import { openedOrAborted } from './patient-storage.ts';

export interface OptionalStorage {
  /** Resolves when every emulator that is wanted now listens, or there is no hope for it. Never rejects. */
  readonly opened: Promise<void>;
  /** False only when it is certain that nobody listens there. Never rejects. */
  readonly isListening: (host: string, port: number) => Promise<boolean>;
}

/** Takes the locks of apps whose storage is absent within this process. */
export function createOptionalLocks(locks: SingletonLocks, storage: OptionalStorage): SingletonLocks {
  return {
    async acquire(request, signal) {
      await openedOrAborted(storage.opened, signal);
      signal.throwIfAborted();
      return locks.acquire({ ...request, connection: await presentOf(request.connection, storage) }, signal);
    },
    watch(name, freed) {
      const inProcess: LockName = { ...name, connection: undefined };
      const stops = [locks.watch(name, freed), ...(name.connection ? [locks.watch(inProcess, freed)] : [])];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** Locks in storage alone: nobody has one while the storage of an app is absent. */
export function createStorageLocks(locks: SingletonLocks, storage: OptionalStorage): SingletonLocks {
  return {
    async acquire(request, signal) {
      await openedOrAborted(storage.opened, signal);
      signal.throwIfAborted();
      const connection = await presentOf(request.connection, storage);
      return connection === undefined ? undefined : locks.acquire({ ...request, connection }, signal);
    },
    watch: (name, freed) => locks.watch(name, freed),
  };
}

export interface TimerStores {
  /** The storage that the app names, as its settings are now. */
  readonly connectionOf: (applicationId: string) => StorageConnection | undefined;
  readonly inStorage: (connection: StorageConnection) => TimerStatusStore;
  readonly fallback: TimerStatusStore;
}

/** Keeps the statuses of each app in its storage, and in the fallback those of apps that have none. */
export function createOptionalTimerStatus(stores: TimerStores, storage: OptionalStorage): TimerStatusStore {
  const storeOf = async ({ applicationId }: TimerKey): Promise<TimerStatusStore> => {
    const connection = await presentOf(stores.connectionOf(applicationId), storage);
    return connection === undefined ? stores.fallback : stores.inStorage(connection);
  };
  return {
    async read(key, signal) {
      await openedOrAborted(storage.opened, signal);
      return (await storeOf(key)).read(key, signal);
    },
    async write(key, status) {
      await storage.opened;
      await (await storeOf(key)).write(key, status);
    },
  };
}

/** The connection, unless it names an emulator and nobody listens there. Accounts elsewhere are always present. */
async function presentOf(
  connection: StorageConnection | undefined,
  { isListening }: OptionalStorage,
): Promise<StorageConnection | undefined> {
  const addresses = connection === undefined ? undefined : emulatorOf(connection.connectionString.reveal());
  if (addresses === undefined) return connection;
  return (await isListening(addresses.host, addresses.blobPort)) ? connection : undefined;
}
