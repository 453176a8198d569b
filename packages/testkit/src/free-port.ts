/**
 * Ports for servers that cannot choose one themselves, and for those that come back at the one they had.
 *
 * A port that the system gives to whoever asks for any is given to somebody else as soon as it is let go. These are below
 * those, and each process that tests at the same time has a part of them to itself: nobody takes one before its server
 * does, or while that starts anew.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give away: Linux begins at 32768, others at 49152. */
const lowest = 20_000;
const parts = 24;
const portsInPart = 500;

/** The runner numbers the processes that run at the same time; the same number is given again once one has ended. */
const part = Number(process.env.VITEST_POOL_ID ?? 0) % parts;

/** Servers of the process before this one may still be about to end. */
let taken = process.pid % portsInPart;

/** A port of the loopback interface that nobody listens on, and that no other test is given. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsInPart; tries += 1) {
    taken += 1;
    const port = lowest + part * portsInPart + (taken % portsInPart);
    if (await isFree(port)) return port;
  }
  throw new Error(`All ports from ${lowest + part * portsInPart} on are in use.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
