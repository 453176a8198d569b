/**
 * `switchyard dev` as a real process, for end-to-end tests: started on free ports, driven over HTTP, ended by its id.
 *
 * Ownership: a test opens it and closes it, also when it fails; nothing that it started is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export { isProcessAlive as isAlive } from '@switchyard/testkit';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const launcher = join(repository, 'packages', 'cli', 'bin', 'switchyard.js');

/** Real processes on a busy machine: long enough that only a defect exceeds it. */
export const patienceMs = 20_000;

/** The folder of an example app. */
export const exampleApp = (name: string): string => join(repository, 'examples', name);
/** The folder of an app of these tests. */
export const testApp = (name: string): string => join(repository, 'test', 'e2e', 'apps', name);

export interface DevProcessOptions {
  readonly apps: readonly string[];
  readonly flags?: readonly string[];
  /** Set over the plain environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program that runs the launcher; the Node of the tests when left out. */
  readonly node?: string;
  /** Waits until every app serves or has failed; true when left out. */
  readonly waitsUntilReady?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

export interface RequestOptions {
  readonly method?: string;
  /** Addresses one of several apps by its host name. */
  readonly app?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Where a command runs, when it is not `switchyard` in the repository. */
export interface ProcessPlace {
  readonly folder?: string;
  readonly launcher?: string;
}

/** A finished command. */
export interface CommandResult extends ProcessEnd {
  readonly output: string;
}

/** Runs `switchyard` with these words until it ends by itself. */
export async function runSwitchyard(words: readonly string[], node?: string): Promise<CommandResult> {
  const process_ = new DevProcess(words, {}, node);
  try {
    const end = await process_.exited();
    return { ...end, output: process_.output };
  } finally {
    await process_.close();
  }
}

/** Starts `switchyard dev` on free ports with a data folder of its own. */
export async function startDevProcess(options: DevProcessOptions): Promise<DevProcess> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'switchyard-e2e-'));
  const words = ['dev', ...options.apps, '--port', '0', '--data-dir', dataFolder, ...(options.flags ?? [])];
  const dev = new DevProcess(words, options.environment ?? {}, options.node, dataFolder);
  if (options.waitsUntilReady === false) return dev;
  try {
    await dev.line(/^Ready after/);
    return dev;
  } catch (error) {
    await dev.close();
    throw error;
  }
}

export class DevProcess {
  readonly dataFolder: string | undefined;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<ProcessEnd>;
  readonly #checks = new Set<() => void>();
  #end: ProcessEnd | undefined;

  constructor(
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
    node: string = process.execPath,
    dataFolder?: string,
    place: ProcessPlace = {},
  ) {
    this.dataFolder = dataFolder;
    this.#child = spawn(node, [place.launcher ?? launcher, ...words], {
      cwd: place.folder ?? repository,
      env: { ...plainEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#onLine(line));
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#end = { code, signal };
        resolve(this.#end);
        for (const check of this.#checks) check();
      });
    });
  }

  /** How the process ended. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Everything printed so far. */
  get output(): string {
    return this.#lines.join('\n');
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Where HTTP is open. */
  async port(): Promise<number> {
    const line = await this.line(/^Listening on /);
    return Number(/:(\d+)\./.exec(line)?.[1]);
  }

  /** The first line that matches, printed already or later. Rejects with the output when none comes. */
  async line(pattern: RegExp): Promise<string> {
    const [found] = await this.matching(pattern, 1);
    return found ?? '';
  }

  /** Resolves with `count` lines that match, in order. */
  matching(pattern: RegExp, count: number): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
      };
      const fail = (why: string): void => {
        stop();
        reject(new Error(`${why} while waiting for ${count} x ${pattern}. It printed:\n${this.output}`));
      };
      const check = (): void => {
        const found = this.#lines.filter((line) => pattern.test(line));
        if (found.length >= count) {
          stop();
          resolve(found.slice(0, count));
        } else if (this.#end !== undefined) fail(`The process ended with ${JSON.stringify(this.#end)}`);
      };
      const timer = setTimeout(() => fail(`Nothing came for ${patienceMs} ms`), patienceMs);
      this.#checks.add(check);
      check();
    });
  }

  /** Makes a request; answers of any status are answers. */
  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    return requestPort(await this.port(), path, options);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the end of the process. */
  async exited(): Promise<ProcessEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`It did not end. It printed:\n${this.output}`)), patienceMs);
    });
    try {
      return await Promise.race([this.#ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<ProcessEnd> {
    if (this.#end === undefined) this.signal('SIGINT');
    return this.exited();
  }

  /** Makes sure that nothing is left: for `finally` and `afterEach`. */
  async close(): Promise<void> {
    try {
      await this.stop();
    } catch (error) {
      this.signal('SIGKILL');
      await this.#ended;
      throw error;
    } finally {
      if (this.dataFolder !== undefined) await rm(this.dataFolder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    for (const check of [...this.#checks]) check();
  }
}

/** Makes a request to a port of this machine; answers of any status are answers. */
export function requestPort(port: number, path: string, options: RequestOptions = {}): Promise<Answer> {
  const host = options.app === undefined ? 'localhost' : `${options.app}.localhost`;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
        headers: { ...options.headers, host: `${host}:${port}` },
        timeout: patienceMs,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const body = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, body, text: body.toString('utf8') });
        });
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${path} was not answered in ${patienceMs} ms`)));
    outgoing.once('error', reject);
    outgoing.end(options.body);
  });
}

/** What a program needs of the machine, and nothing of the test runner. */
function plainEnvironment(): Record<string, string> {
  const wanted = ['PATH', 'HOME', 'USER', 'TMPDIR', 'TEMP', 'SystemRoot', 'LANG'];
  return Object.fromEntries(wanted.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
