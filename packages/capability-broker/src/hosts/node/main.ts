/**
 * The Node.js host program: in a worker thread it speaks over the port that it is given, as a process over stdio.
 * It serves one broker, and ends with it.
 */

import { Console } from 'node:console';
import { chmodSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import process from 'node:process';
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { LineTransport, openSession, PortTransport, type RpcTarget } from '@switchyard/capabilities';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { CapabilityHost } from '../capability-host.ts';
import { loadFile } from '../load-file.ts';
import { hostSession, lostPeer } from '../session-limits.ts';

const host = new CapabilityHost({
  clock: systemClock,
  random: systemRandom,
  pid: process.pid,
  loadModule: loadFile,
  memoryBytes: () =>
    isMainThread ? process.memoryUsage.rss() : process.memoryUsage().heapUsed + process.memoryUsage().external,
  listen,
});

if (isMainThread) {
  // What the capability prints must not end up between the messages.
  const output = new Socket({ fd: 1, readable: false, writable: true });
  globalThis.console = new Console(process.stderr, process.stderr);
  Object.defineProperty(process, 'stdout', { value: process.stderr });
  process.stdin.on('close', () => process.exit(0));
  process.stdin.on('end', () => process.exit(0));
  openSession(new LineTransport({ input: process.stdin, output }, lostPeer), { ...hostSession, main: host });
} else {
  const { port }: { readonly port: MessagePort } = workerData;
  openSession(new PortTransport(port, { ...lostPeer, batches: true }), { ...hostSession, main: host });
}

/** Everybody on the machine may connect, workers of other users among them: what counts is the ticket. */
const openToAll = 0o666;

/** Each caller of a machine has one. */
const maxDirectConnections = 1_024;

/** The direct route: whoever connects gets the gate. */
function listen(path: string, gate: RpcTarget): Promise<void> {
  const server = createServer((socket) => {
    openSession(new LineTransport(socket, lostPeer), { ...hostSession, main: gate });
  });
  server.maxConnections = maxDirectConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, openToAll);
      resolve();
    });
  });
}
