import { Worker } from 'node:worker_threads';

const writer = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(workerData.file);
  database.exec('BEGIN IMMEDIATE');
  parentPort.postMessage('writing');
  Atomics.wait(workerData.heldMs, 0, 0);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, workerData.heldMs[0]);
  database.exec('COMMIT');
  database.close();
`;

/** Somebody who writes to a database, which holds up whoever opens it meanwhile. */
export interface BusyDatabase {
  /** Has the writer end by itself after so long, also while this thread is blocked. */
  releaseAfter(heldMs: number): void;
  /** Ends the writer at once. */
  end(): Promise<void>;
}

/** Has somebody else make the file of a SQLite database and write to it. Resolves when the lock is taken. */
export async function keepDatabaseBusy(file: string): Promise<BusyDatabase> {
  const heldMs = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(writer, { eval: true, workerData: { file, heldMs } });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  return {
    releaseAfter(ms) {
      Atomics.store(heldMs, 0, ms);
      Atomics.notify(heldMs, 0);
    },
    async end() {
      await worker.terminate();
    },
  };
}
