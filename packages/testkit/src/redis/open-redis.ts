import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from '../end-with-us.ts';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import { requirePart } from '../missing-part.ts';

/** A Redis of a test's own, in a temporary folder, on loopback. */
export interface TestRedis {
  /** As a connection string of StackExchange.Redis, which official apps use. */
  readonly connectionString: string;
  readonly port: number;
  /** Kills the server and starts it again on the same port, with what it held. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const program = findProgram('redis-server');

/** Whether redis-server is here: a loud skip on somebody's machine, a failure in continuous integration. */
export const redisPart = requirePart('redis-server', program !== undefined, "Install Debian's package redis-server.");

const password = 'of-a-test';

/** Starts a server; it is ready when this resolves. */
export async function openRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  let running = await start(folder, port);
  return {
    connectionString: `127.0.0.1:${port},password=${password},abortConnect=false`,
    port,
    async restart() {
      await end(running, 'SIGKILL');
      running = await start(folder, port);
    },
    async close() {
      await end(running, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly server: ChildProcess;
  readonly ended: Promise<void>;
}

async function start(folder: string, port: number): Promise<Running> {
  if (program === undefined) throw new Error('redis-server is not installed');
  const settings = { bind: '127.0.0.1', port, dir: folder, appendonly: 'yes', save: '', requirepass: password };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(program, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  endWithUs(server);
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString('utf8')).slice(-20_000);
      if (log.includes('Ready to accept connections')) resolve();
    });
    server.once('exit', () => reject(new Error(`redis-server did not start: ${log}`)));
  });
  return { server, ended };
}

async function end({ server, ended }: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  server.kill(signal);
  await ended;
}
