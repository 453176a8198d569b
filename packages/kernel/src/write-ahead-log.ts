/** What is needed of a database of `node:sqlite`. */
interface Database {
  exec(sql: string): void;
}

const defaultTimeoutMs = 5_000;
const pauseMs = 5;

/** SQLITE_BUSY, with what kind of it in the higher bytes; https://sqlite.org/rescode.html#busy */
const busyCode = 5;
const kindMask = 0xff;

/**
 * Puts a database file that other processes may open at the same moment into WAL mode. SQLite's own busy timeout does not
 * cover this: who asks while another one writes the first page is refused at once. Blocks while it waits, as that does.
 * Throws what SQLite throws, SQLITE_BUSY only when `timeoutMs` have passed.
 */
export function enterWalMode(database: Database, timeoutMs: number = defaultTimeoutMs): void {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || waitedMs >= timeoutMs) throw thrown;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & kindMask) === busyCode;
}
