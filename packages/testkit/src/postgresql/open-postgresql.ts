import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { requirePart } from '../missing-part.ts';

/** A PostgreSQL of a test's own, in a temporary folder, reached through a Unix socket. */
export interface TestPostgresql {
  /** The address of a database, for the owner of everything. */
  address(database?: string): string;
  /** Ends every connection there is, as a restart or a network does. */
  endConnections(): Promise<void>;
  close(): Promise<void>;
}

/** Where Debian puts the programs of PostgreSQL; they need not be on the path. */
function programFolder(): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Whether PostgreSQL is here: a loud skip on somebody's machine, a failure in continuous integration. */
export const postgresqlPart = requirePart(
  'PostgreSQL',
  programFolder() !== undefined,
  "Install Debian's package postgresql.",
);

/** PostgreSQL refuses to run as root: then it runs as nobody, who has this number on every Linux. */
const nobody = 65_534;

/** Starts a server; it is ready when this resolves. */
export async function openPostgresql(): Promise<TestPostgresql> {
  const programs = programFolder();
  if (programs === undefined) throw new Error('PostgreSQL is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'pg-'));
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (process.getuid?.() === 0) chownSync(folder, nobody, nobody);
  const data = join(folder, 'data');
  const environment = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', HOME: folder };
  const options = { ...identity, cwd: folder, env: environment };
  const initialise = ['-D', data, '-U', 'owner', '--auth=trust', '--encoding=UTF8', '--no-sync'];
  execFileSync(join(programs, 'initdb'), initialise, { ...options, stdio: 'ignore' });
  const settings = ['fsync=off', 'synchronous_commit=off', 'max_connections=40', 'shared_buffers=16MB'];
  const flags = ['-D', data, '-k', folder, '-h', '', ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(programs, 'postgres'), flags, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  return {
    address: (database = 'postgres') => `postgresql://owner@/${database}?host=${encodeURIComponent(folder)}`,
    async endConnections() {
      // Through the postmaster's own children, so that this needs no connection.
      const list = execFileSync('ps', ['--no-headers', '-o', 'pid=,args=', '--ppid', String(server.pid)], {
        encoding: 'utf8',
      });
      for (const line of list.split('\n')) {
        const [, pid] = /^\s*(\d+)\s.*\bowner postgres\b/.exec(line) ?? [];
        if (pid !== undefined) process.kill(Number(pid), 'SIGTERM');
      }
    },
    async close() {
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
