import { join } from 'node:path';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createAzureBlobService,
  createAzureQueueService,
  createAzureTableService,
  createBlobTimerStatus,
  createFileTimerStatus,
  createKinds,
  createSingletonLocks,
  findHostStorage,
  type Kinds,
  type StorageConnection,
  type TimerStatusStore,
} from '@switchyard/triggers';
import type { CurrentApplications } from '../application/current-applications.ts';
import { createOptionalLocks, createOptionalTimerStatus, type OptionalStorage } from '../azurite/optional-storage.ts';
import { createPatientStorage } from '../azurite/patient-storage.ts';
import { isListening } from '../http/listen.ts';
import type { DataFolder } from './data-folder.ts';

export interface KindsScope {
  readonly log: Log;
  readonly data: DataFolder;
  readonly current: CurrentApplications;
}

/** All triggers and bindings, on storage that may still be starting. The cloud libraries load at their first use. */
export function openKinds({ log, data, current }: KindsScope, opened: Promise<void>): Kinds {
  const storage: OptionalStorage = { opened, isListening };
  const blobs = createPatientStorage(createAzureBlobService(), opened);
  const call = { clock: systemClock, random: systemRandom, log, blobs };
  return createKinds({
    queues: createPatientStorage(createAzureQueueService(), opened),
    tables: createPatientStorage(createAzureTableService(), opened),
    blobs,
    locks: createOptionalLocks(createSingletonLocks(call), storage),
    singletonTimers: true,
    timerStatus: createOptionalTimerStatus(
      {
        connectionOf: (applicationId) => hostStorageOf(current, applicationId),
        inStorage: (connection) => createBlobTimerStatus(call, connection),
        fallback: openTimerStatus(data),
      },
      storage,
    ),
  });
}

/** The storage that the app names, as its settings are now. */
function hostStorageOf(current: CurrentApplications, applicationId: string): StorageConnection | undefined {
  const application = current.all.find((one) => one.applicationId === applicationId);
  return application === undefined ? undefined : findHostStorage(application.settings);
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
