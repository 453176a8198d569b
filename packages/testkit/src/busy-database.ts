import { Worker } from 'node:worker_threads';

const writer = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(workerData.file);
  database.exec('BEGIN IMMEDIATE');
  parentPort.postMessage('writing');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, workerData.heldMs);
  database.exec('COMMIT');
  database.close();
`;

/**
 * Somebody else who makes the file of a SQLite database and writes to it for `heldMs`, which holds whoever opens it meanwhile.
 * Resolves when the lock is taken; the function that it resolves to ends the writer.
 */
export async function keepDatabaseBusy(file: string, heldMs: number): Promise<() => Promise<void>> {
  const worker = new Worker(writer, { eval: true, workerData: { file, heldMs } });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  return async () => {
    await worker.terminate();
  };
}
