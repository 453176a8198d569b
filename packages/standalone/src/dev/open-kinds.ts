import { join } from 'node:path';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createAzureBlobService,
  createAzureQueueService,
  createAzureTableService,
  createFileTimerStatus,
  createKinds,
  createSingletonLocks,
  type Kinds,
  type TimerStatusStore,
} from '@switchyard/triggers';
import { createPatientStorage } from '../azurite/patient-storage.ts';
import type { DataFolder } from './data-folder.ts';

/** All triggers and bindings, on storage that may still be starting. The cloud libraries load at their first use. */
export function openKinds({ log, data }: { log: Log; data: DataFolder }, storageOpened: Promise<void>): Kinds {
  const blobs = createPatientStorage(createAzureBlobService(), storageOpened);
  return createKinds({
    queues: createPatientStorage(createAzureQueueService(), storageOpened),
    tables: createPatientStorage(createAzureTableService(), storageOpened),
    blobs,
    locks: createSingletonLocks({ clock: systemClock, random: systemRandom, log, blobs }),
    timerStatus: openTimerStatus(data),
  });
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
