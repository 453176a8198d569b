/** Removes the folders of sockets that brokers which were killed have left below the folder for temporary files. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@switchyard/kernel';

/** How the folder of a broker's sockets begins. */
export const socketFolderPrefix = 'switchyard-caps-';
export const brokerSocket = 'broker.sock';

/** A broker that has just made its folder may not listen yet. */
const youngMs = 60_000;

/**
 * Looks at folders of this user that nobody answers in, and were not changed for a minute. Never rejects: what cannot be removed
 * stays. Resolves with what was removed.
 */
export async function sweepSocketFolders(directory: string, clock: Pick<Clock, 'now'>): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const removed: string[] = [];
  for (const name of names.filter((one) => one.startsWith(socketFolderPrefix))) {
    const folder = join(directory, name);
    if (!(await isStale(folder, clock.now()))) continue;
    const isRemoved = await rm(folder, { recursive: true, force: true }).then(
      () => true,
      () => false,
    );
    if (isRemoved) removed.push(folder);
  }
  return removed;
}

async function isStale(folder: string, nowMs: number): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) return false;
  return nowMs - found.mtimeMs > youngMs && !(await answers(join(folder, brokerSocket)));
}

/** True unless it is certain that nobody listens. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => settle(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
