/**
 * The storage emulator for tests: started as a process of its own, in memory, on free ports of the loopback interface,
 * with telemetry off. Needs the package `azurite`; without it `findAzurite` returns undefined.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createDeferred, Secret, systemClock, withDeadline } from '@switchyard/kernel';
import { freePort } from '@switchyard/testkit';
import { parseQueueEndpoint, type StorageConnection } from '../storage/storage-connection.ts';

/** How to get it, for messages. */
export const azuriteHint = 'Run `npm install` in the repository: azurite is one of its development dependencies.';

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/** The emulator's well-known account; its key is public. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** A running emulator. */
export interface Azurite {
  /** For settings such as AzureWebJobsStorage. */
  readonly connectionString: string;
  readonly connection: StorageConnection;
  /** Ends the process and resolves when it is gone. */
  stop(): Promise<void>;
}

/** The emulator's entry file, or undefined when it is not installed. */
export function findAzurite(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  } catch {
    return undefined;
  }
}

export interface AzuriteOptions {
  /** 0, as when it is left out, is a free port. */
  readonly queuePort?: number;
  /** Files with a certificate and its key: the services are then reached over TLS, and take tokens too. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}

/** The connection string of an emulator that somebody else is about to start, at ports that nobody else is given. */
export async function planAzurite(): Promise<string> {
  const ports = new Map<string, string>();
  for (const service of ['blob', 'queue', 'table']) ports.set(service, String(await freePort()));
  return toConnectionString(ports, 'http');
}

/** Starts the emulator; resolves when all three services listen. */
export async function startAzurite(entry: string, options: AzuriteOptions = {}): Promise<Azurite> {
  const child = spawn(process.execPath, [entry, ...toArguments(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = createDeferred<void>();
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => {
    process.off('exit', killWithUs);
    exited.resolve();
  });
  try {
    const ports = await withDeadline(systemClock, startTimeoutMs, readPorts(child), () => {
      return new Error(`azurite did not listen within ${startTimeoutMs} ms`);
    });
    const connectionString = toConnectionString(ports, options.tls === undefined ? 'http' : 'https');
    return { connectionString, connection: toConnection(connectionString), stop: () => stop(child, exited.promise) };
  } catch (thrown) {
    await stop(child, exited.promise);
    throw thrown;
  }
}

function toArguments({ queuePort = 0, tls }: AzuriteOptions): string[] {
  const hosts = ['blob', 'queue', 'table'].flatMap((service) => [`--${service}Host`, '127.0.0.1']);
  const ports = ['--blobPort', '0', '--queuePort', String(queuePort), '--tablePort', '0'];
  const secure = tls === undefined ? [] : ['--cert', tls.certificateFile, '--key', tls.keyFile, '--oauth', 'basic'];
  return [
    ...hosts,
    ...ports,
    ...secure,
    '--inMemoryPersistence',
    '--silent',
    '--disableTelemetry',
    '--skipApiVersionCheck',
  ];
}

/** Reads the three `... is successfully listening at ...` lines. */
function readPorts(child: ChildProcess): Promise<ReadonlyMap<string, string>> {
  const ports = new Map<string, string>();
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`azurite ended with code ${code}: ${output}`)));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const [, service = '', port = ''] of output.matchAll(
        /Azurite (\w+) service is successfully listening at \S+:(\d+)/g,
      )) {
        ports.set(service.toLowerCase(), port);
      }
      if (ports.size === 3) resolve(ports);
    });
  });
}

function toConnectionString(ports: ReadonlyMap<string, string>, protocol: string): string {
  const endpoint = (name: string): string =>
    `${name}Endpoint=${protocol}://127.0.0.1:${ports.get(name.toLowerCase())}/${account}`;
  const endpoints = ['Blob', 'Queue', 'Table'].map(endpoint).join(';');
  return `DefaultEndpointsProtocol=${protocol};AccountName=${account};AccountKey=${accountKey};${endpoints};`;
}

function toConnection(connectionString: string): StorageConnection {
  const parsed = parseQueueEndpoint(connectionString);
  if (parsed.kind === 'invalid') throw new Error(parsed.reason);
  return { connectionString: new Secret(connectionString), queueEndpoint: parsed.endpoint };
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = systemClock.schedule(stopTimeoutMs, () => child.kill('SIGKILL'));
  await exited;
  timer.cancel();
}
