/** The program of a SQLite thread: answers one request after the other. Ending the thread ends whatever runs. */
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteRequest } from './sqlite-messages.ts';

const connection = new SqliteConnection(workerData);

parentPort?.on('message', (request: SqliteRequest | 'close') => {
  if (request !== 'close') {
    parentPort?.postMessage(connection.run(request));
    return;
  }
  connection.close();
  parentPort?.close();
});
