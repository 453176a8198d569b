import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { requirePart } from '@switchyard/testkit';

/** A nats-server of a test's own, with JetStream in a temporary folder, on loopback. */
export interface TestNats {
  readonly address: string;
  close(): Promise<void>;
}

/** Debian puts the server where the path of a plain user may not reach. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

const program = folders.map((folder) => join(folder, 'nats-server')).find((file) => existsSync(file));

/** Whether nats-server is here: a loud skip on somebody's machine, a failure in continuous integration. */
export const natsPart = requirePart('nats-server', program !== undefined, "Install Debian's package nats-server.");

/** Starts a server on a port that is free; it is ready when this resolves. */
export async function openNats(): Promise<TestNats> {
  if (program === undefined) throw new Error('nats-server is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'nats-'));
  const configuration = join(folder, 'server.conf');
  writeFileSync(
    configuration,
    `host: "127.0.0.1"\nport: -1\nserver_name: test\njetstream { store_dir: "${folder}", max_mem: 64MB, max_file: 512MB }\n`,
  );
  const server = spawn(program, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  let log = '';
  const port = await new Promise<string>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      const [, found] = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
      if (found !== undefined && log.includes('Server is ready')) resolve(found);
    });
    server.once('exit', () => reject(new Error(`nats-server did not start: ${log}`)));
  });
  return {
    address: `nats://127.0.0.1:${port}`,
    async close() {
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
