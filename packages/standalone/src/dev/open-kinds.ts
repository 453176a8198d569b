import { join } from 'node:path';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';
import type { OpenAppTelemetry } from '@switchyard/runtime';
import {
  createAzureBlobService,
  createAzureEventHubs,
  createAzureIdentities,
  createAzureQueueService,
  createAzureServiceBus,
  createAzureTableService,
  createBlobTimerStatus,
  createConcurrencySnapshots,
  createFileTimerStatus,
  createKinds,
  createPrimaryHosts,
  createRabbitMq,
  createRedis,
  createSingletonLocks,
  createTokenSource,
  findHostStorage,
  type Kinds,
  type OpenConcurrencySnapshots,
  type PrimaryHosts,
  type Settlements,
  type StorageConnection,
  type TimerStatusStore,
} from '@switchyard/triggers';
import {
  createOptionalLocks,
  createOptionalTimerStatus,
  createStorageLocks,
  type OptionalStorage,
} from '../azurite/optional-storage.ts';
import { createPatientStorage, type StorageOpening } from '../azurite/patient-storage.ts';
import { mayListen } from '../http/listen.ts';
import { createAppTelemetry } from '../http/open-app-telemetry.ts';
import type { DataFolder } from './data-folder.ts';

export interface KindsScope {
  readonly log: Log;
  readonly data: DataFolder;
  /** The settings of an app as they are now. */
  readonly settingsOf: (applicationId: string) => SettingsView | undefined;
  /** Whether apps may use the identity of this process: where they are its user's own, and nowhere else. */
  readonly allowsAmbientIdentity?: boolean;
  /** Where workers settle messages themselves. */
  readonly settlements: Settlements;
}

/** Storage for which nothing has to be started. */
export const openStorage: StorageOpening = { opened: Promise.resolve(), isOpen: true };

/** What an app works with, on storage that may still be starting. */
export interface OpenedKinds {
  /** All triggers and bindings. */
  readonly kinds: Kinds;
  readonly primaryHosts: PrimaryHosts;
  readonly concurrencySnapshots: OpenConcurrencySnapshots;
  readonly openAppTelemetry: OpenAppTelemetry;
}

/** The cloud libraries load at their first use. */
export function openKinds(scope: KindsScope, opening: StorageOpening): OpenedKinds {
  const { log, data, settingsOf, settlements } = scope;
  const identities = createAzureIdentities({ allowsAmbient: scope.allowsAmbientIdentity ?? false });
  const tokens = createTokenSource(identities);
  const storage: OptionalStorage = {
    get opened() {
      return opening.opened;
    },
    isListening: mayListen,
  };
  const blobs = createPatientStorage(createAzureBlobService(undefined, identities), opening);
  const call = { clock: systemClock, random: systemRandom, log, blobs };
  const locks = createSingletonLocks(call);
  const kinds = createKinds({
    queues: createPatientStorage(createAzureQueueService(undefined, identities), opening),
    tables: createPatientStorage(createAzureTableService(undefined, identities), opening),
    blobs,
    locks: createOptionalLocks(locks, storage),
    singletonTimers: true,
    serviceBus: createAzureServiceBus(undefined, identities),
    settlements,
    rabbitMq: createRabbitMq(),
    eventHubs: createAzureEventHubs(undefined, identities),
    redis: createRedis(undefined, tokens),
    tokens,
    timerStatus: createOptionalTimerStatus(
      {
        connectionOf: (applicationId) => hostStorageOf(settingsOf(applicationId)),
        inStorage: (connection) => createBlobTimerStatus(call, connection),
        fallback: openTimerStatus(data),
      },
      storage,
    ),
  });
  const primaryHosts = createPrimaryHosts({ ...call, locks: createStorageLocks(locks, storage) });
  const openAppTelemetry = createAppTelemetry({ tokens, fetch });
  return { kinds, primaryHosts, concurrencySnapshots: createConcurrencySnapshots(call), openAppTelemetry };
}

/** The storage that the app names, as its settings are now. */
function hostStorageOf(settings: SettingsView | undefined): StorageConnection | undefined {
  return settings === undefined ? undefined : findHostStorage(settings);
}

/** Timer states in files of the data folder. */
function openTimerStatus(data: DataFolder): TimerStatusStore {
  const store = createFileTimerStatus({ random: systemRandom }, join(data.path, 'timers'));
  return {
    read: (...key) => store.read(...key),
    async write(...entry) {
      await data.prepare();
      await store.write(...entry);
    },
  };
}
