/**
 * `switchyard up` as a real process, and the commands that talk to it, for end-to-end tests.
 *
 * Ownership: a test opens it and closes it, also when it fails; nothing that it started is left.
 */
import { statSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Answer,
  type CommandResult,
  DevProcess,
  type RequestOptions,
  requestPort,
  runSwitchyard,
} from './dev-process.ts';

export interface UpProcessOptions {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Other users of this machine can enter the folder in which the data folder stands. */
  readonly isReachable?: boolean;
  /** Runs before the first start. */
  readonly prepare?: (dataFolder: string) => Promise<void>;
}

export class UpProcess {
  readonly dataFolder: string;
  readonly #folder: string;
  readonly #options: UpProcessOptions;
  #process: DevProcess;

  private constructor(folder: string, options: UpProcessOptions) {
    this.#folder = folder;
    this.dataFolder = join(folder, 'data');
    this.#options = options;
    this.#process = this.#spawn();
  }

  /** Starts an installation on free ports with a data folder of its own. */
  static async start(options: UpProcessOptions = {}): Promise<UpProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-up-'));
    if (options.isReachable === true) await chmod(folder, 0o755);
    await options.prepare?.(join(folder, 'data'));
    const up = new UpProcess(folder, options);
    try {
      await up.ready();
      return up;
    } catch (error) {
      await up.close();
      throw error;
    }
  }

  get output(): string {
    return this.#process.output;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Starts it again on the same data, after its end. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.ready();
  }

  /** Resolves when apps can be deployed. */
  async ready(): Promise<void> {
    await this.#process.line(/^Deploy an app with/);
  }

  /** Runs a command against it until the command ends. */
  async run(...words: readonly string[]): Promise<CommandResult> {
    return await runSwitchyard([...words, '--data-dir', this.dataFolder]);
  }

  /** The same, and a failure is an error with what was printed. */
  async do(...words: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...words);
    if (code !== 0) throw new Error(`switchyard ${words.join(' ')} ended with ${code}:\n${output}\n${this.output}`);
    return output;
  }

  /** Starts a command that goes on until it is closed. */
  follow(...words: readonly string[]): DevProcess {
    return new DevProcess([...words, '--data-dir', this.dataFolder], {});
  }

  /** Starts a Runtime that is about to join it; whoever asks for it ends it. */
  async startMember(...flags: readonly string[]): Promise<DevProcess> {
    const url = /Workers\s+(http:\S+)/.exec(this.output)?.[1] ?? '';
    const scopes = ['--scope', 'deploy', '--scope', 'secrets'];
    const token = await this.runAlone('token', 'control', '--keys', join(this.dataFolder, 'keys'), ...scopes);
    const words = ['runtime', '--join', url, '--port', '0', '--rpc-port', '0', '--control-port', '0', ...flags];
    return new DevProcess(words, { SWITCHYARD_JOIN_TOKEN: token.trim() });
  }

  /** Runs a command that needs no installation, and answers what it printed. */
  async runAlone(...words: readonly string[]): Promise<string> {
    const { code, output } = await runSwitchyard(words);
    if (code !== 0) throw new Error(`switchyard ${words.join(' ')} ended with ${code}:\n${output}`);
    return output;
  }

  /** Calls an app. */
  async call(app: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const line = await this.#process.line(/^\s+Apps\s+http/);
    return await requestPort(Number(/:(\d+)$/.exec(line)?.[1]), path, { ...options, app });
  }

  /** What commands on this machine know of it. */
  async control(): Promise<{ readonly endpoint: string; readonly token: string }> {
    return JSON.parse(await readFile(join(this.dataFolder, 'control.json'), 'utf8'));
  }

  /** The measurements of the whole installation, as Prometheus reads them. */
  async metrics(): Promise<string> {
    const { endpoint, token } = await this.control();
    return await (await fetch(`${endpoint}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  async exited(): ReturnType<DevProcess['exited']> {
    return await this.#process.exited();
  }

  async stop(): ReturnType<DevProcess['stop']> {
    return await this.#process.stop();
  }

  async close(): Promise<void> {
    try {
      await this.#process.close();
    } finally {
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  #spawn(): DevProcess {
    const { flags = [], environment = {} } = this.#options;
    const ports = ['--port', '0', '--control-port', '0', '--rpc-port', '0'];
    return new DevProcess(['up', ...ports, '--data-dir', this.dataFolder, ...flags], environment);
  }
}

/** Tenants get users of their own only where this runs as root, and where other users can read this repository. */
export function whyNoUsers(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  for (let path = process.execPath; path !== '/'; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return `other users cannot enter ${path}`;
  }
  return undefined;
}
