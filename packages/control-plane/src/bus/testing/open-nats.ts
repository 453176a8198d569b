import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, requirePart } from '@switchyard/testkit';

/** A nats-server of a test's own, with JetStream in a temporary folder, on loopback. */
export interface TestNats {
  readonly address: string;
  /** Kills the server and starts it again on the same port and folder. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Debian puts the server where the path of a plain user may not reach. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

const program = folders.map((folder) => join(folder, 'nats-server')).find((file) => existsSync(file));

/** Whether nats-server is here: a loud skip on somebody's machine, a failure in continuous integration. */
export const natsPart = requirePart('nats-server', program !== undefined, "Install Debian's package nats-server.");

/**
 * Starts a server on a port that is free; it is ready when this resolves.
 * @param settings more lines of its configuration
 */
export async function openNats(settings = ''): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), 'nats-'));
  const port = await freePort();
  let running = await start(folder, port, settings);
  return {
    address: `nats://127.0.0.1:${port}`,
    async restart() {
      await end(running, 'SIGKILL');
      running = await start(folder, port, settings);
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

async function start(folder: string, port: number, settings: string): Promise<Running> {
  if (program === undefined) throw new Error('nats-server is not installed');
  const configuration = join(folder, 'server.conf');
  writeFileSync(
    configuration,
    `host: "127.0.0.1"\nport: ${port}\nserver_name: test\njetstream { store_dir: "${folder}", max_mem: 64MB, max_file: 512MB }\n${settings}\n`,
  );
  const server = spawn(program, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      if (log.includes('Server is ready')) resolve();
    });
    server.once('exit', () => reject(new Error(`nats-server did not start: ${log}`)));
  });
  return { server, ended };
}

async function end({ server, ended }: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  server.kill(signal);
  await ended;
}
