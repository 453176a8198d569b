/** An HTTP server on a Unix socket that only its owner can reach. */
import { statSync, unlinkSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { messageOf } from '@switchyard/kernel';
import { wrapperProcessErrors } from './errors.ts';

export interface UnixServer {
  /** Stops listening and removes the socket; requests that are under way are cut off. */
  close(): Promise<void>;
}

/** One sidecar asks, and seldom. */
const maxConnections = 16;

/** A request that is not there by then never comes. */
const requestTimeoutMs = 10_000;

/** On the machine itself a connection takes far less. */
const probeMs = 500;

/**
 * Listens at `path` with mode 0600. A socket that a killed process has left there is replaced.
 * Rejects with WRAPPER_SOCKET_TAKEN, WRAPPER_SOCKET_UNUSABLE.
 */
export async function openUnixServer(listener: RequestListener, path: string): Promise<UnixServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs }, listener);
  server.maxConnections = maxConnections;
  try {
    await listenAt(server, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw unusable(path, thrown);
    if (await answers(path)) throw wrapperProcessErrors.create('WRAPPER_SOCKET_TAKEN', { path }, thrown);
    await listenInPlaceOf(server, path);
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Binds while nobody else may be let in, so that there is no moment in which the socket is open to others. */
function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

async function listenInPlaceOf(server: Server, path: string): Promise<void> {
  try {
    if (!statSync(path).isSocket()) throw new Error('there is a file of that name, which is no socket');
    unlinkSync(path);
    await listenAt(server, path);
  } catch (thrown) {
    throw unusable(path, thrown);
  }
}

function unusable(path: string, cause: unknown): Error {
  return wrapperProcessErrors.create('WRAPPER_SOCKET_UNUSABLE', { path, reason: messageOf(cause) }, cause);
}

/** True when a process listens there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.setTimeout(probeMs, () => settle(true));
  });
}
