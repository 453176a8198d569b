/** The servers that say the same hello, and what one measurement of them yields. */
import { fileURLToPath } from 'node:url';
import type { LoadOptions } from './http-load.ts';
import { cpuSeconds, freePort, loadFrom, processTree, type Started, start, waitForOk } from './processes.ts';

/** A server that answers `GET <path>` with `Hello, world`. */
export interface HelloServer {
  readonly name: string;
  readonly path: string;
  start(port: number): Started;
}

/** A server that runs. */
export interface RunningServer {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly started: Started;
}

/** One round of measurement. */
export interface ServerSample {
  /** One connection, one request at a time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** 32 connections. */
  readonly requestsPerSecond: number;
  readonly requestsPerCpuSecond: number;
}

const startTimeoutMs = 30_000;
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Bare `node:http`: the floor. */
export const bareHttp: HelloServer = {
  name: 'bare node:http',
  path: '/',
  start: (port) => start(process.execPath, [script('./bare-http.ts'), String(port)]),
};

/** Ours: `switchyard dev` with one app of one function. */
export const switchyardDev: HelloServer = {
  name: 'switchyard dev',
  path: '/api/hello',
  start: (port) => startDev(process.execPath, port),
};

/** Starts `switchyard dev` on the hello app with the given Node, through its launcher. */
export function startDev(node: string, port: number): Started {
  const launcher = `${repository}packages/cli/bin/switchyard.js`;
  return start(node, [launcher, 'dev', script('./fixtures/hello-app'), '--port', String(port)], { cwd: repository });
}

/** Starts a server and waits until it answers. */
export async function openServer(server: HelloServer): Promise<RunningServer> {
  const port = await freePort();
  const started = server.start(port);
  try {
    await waitForOk(`http://127.0.0.1:${port}${server.path}`, started, startTimeoutMs);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { name: server.name, port, path: server.path, started };
}

/** Measures one round. */
export async function sampleServer(server: RunningServer): Promise<ServerSample> {
  const target = { host: '127.0.0.1', port: server.port, path: server.path };
  const single = await loadFrom({ ...target, connections: 1, warmUpMs: 300, durationMs: 1_000 });
  const before = cpuSeconds(processTree(server.started.pid));
  // No warm-up: the CPU time must be that of the counted requests, and the code is warm by now.
  const many: LoadOptions = { ...target, connections: 32, warmUpMs: 0, durationMs: 1_500 };
  const full = await loadFrom(many);
  const usedSeconds = cpuSeconds(processTree(server.started.pid)) - before;
  if (single.errors + full.errors > 0)
    throw new Error(`${server.name} gave ${single.errors + full.errors} bad answers`);
  return {
    p50Ms: single.p50Ms,
    p99Ms: single.p99Ms,
    requestsPerSecond: full.requestsPerSecond,
    requestsPerCpuSecond: full.requests / usedSeconds,
  };
}

function script(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
