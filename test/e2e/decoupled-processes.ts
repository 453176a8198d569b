/**
 * `switchyard runtime` and `switchyard sidecar` as real processes, and an installation's keys, for end-to-end tests.
 *
 * Ownership: a test opens an installation and closes it, also when it fails; nothing that it started is left.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenIssuer, type KeyRing, openKeyRing, type TokenIssuer } from '@switchyard/identity';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { freePort } from '@switchyard/testkit';
import { type Answer, DevProcess, type RequestOptions, requestPort } from './dev-process.ts';

/** An app as its pod is told of it. */
export interface PodApp {
  readonly applicationId: string;
  readonly tenantId: string;
  readonly scriptRoot: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly codeVersion?: string;
}

export interface SidecarOptions {
  readonly workerId: string;
  /** Left out for a placeholder. */
  readonly app?: PodApp;
  /** Left out for a placeholder that hangs on no Runtime. */
  readonly runtimeUrl?: string;
  /** Instead of the right token. */
  readonly token?: string;
  readonly flags?: readonly string[];
  /** The program that runs the launcher. */
  readonly node?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

export interface RuntimeHostOptions {
  /** One that has ended, whose ports and data it takes over. */
  readonly after?: RuntimeHost;
  readonly flags?: readonly string[];
  /** It has the signing keys, and gives workers new tokens. */
  readonly renews?: boolean;
}

/** Signing keys, their public half in a file, and the processes that were started with them. */
export class Installation {
  readonly folder: string;
  readonly issuer: TokenIssuer;
  readonly keysFile: string;
  readonly #keys: KeyRing;
  readonly #issuerFor: (workerMs: number) => TokenIssuer;
  readonly #processes: DevProcess[] = [];

  private constructor(folder: string, keys: KeyRing, issuerFor: (workerMs?: number) => TokenIssuer) {
    this.folder = folder;
    this.issuer = issuerFor();
    this.#issuerFor = issuerFor;
    this.#keys = keys;
    this.keysFile = join(folder, 'jwks.json');
  }

  static async open(): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-decoupled-'));
    const keys = await openKeyRing({ clock: systemClock, log: silentLog }, { directory: join(folder, 'keys') });
    const installation = new Installation(folder, keys, (workerMs) => {
      const lifetimes = workerMs === undefined ? {} : { workerMs };
      return createTokenIssuer({ clock: systemClock, random: systemRandom, keys }, { lifetimes });
    });
    await writeFile(installation.keysFile, JSON.stringify(keys.jwks()));
    return installation;
  }

  /** From now on a new key signs; tokens of the old one still count. */
  async rotateKeys(): Promise<void> {
    await this.#keys.rotate();
  }

  /** Takes every key away but the newest. */
  async forgetOldKeys(): Promise<void> {
    const folder = join(this.folder, 'keys');
    const newest = (await this.#keys.signingKey()).publicKey.kid;
    const files = (await readdir(folder)).filter((file) => !file.startsWith(newest));
    await Promise.all(files.map((file) => rm(join(folder, file))));
  }

  /** Starts a Runtime. */
  async startRuntime({ after, flags = [], renews = false }: RuntimeHostOptions = {}) {
    const data = after?.dataFolder ?? (await mkdtemp(join(this.folder, 'runtime-')));
    const { port, rpcPort } = after ?? { port: await freePort(), rpcPort: await freePort() };
    const ports = ['--port', String(port), '--rpc-port', String(rpcPort), '--control-port', '0'];
    const keys = renews ? ['--signing-keys', join(this.folder, 'keys')] : ['--keys', this.keysFile];
    const words = ['runtime', ...ports, '--data-dir', data, '--no-function-keys', ...keys, ...flags];
    return await RuntimeHost.open(this.#own(new DevProcess(words, {})), data);
  }

  /** Starts a sidecar, with a worker of its own unless a flag names a wrapper. */
  async startSidecar(options: SidecarOptions): Promise<SidecarHost> {
    const { workerId, app, runtimeUrl, flags = [], variables = {} } = options;
    const environment = {
      FUNCTIONS_WORKER_RUNTIME: 'node',
      SIDECAR_PORT: '0',
      WORKER_ID: workerId,
      INSTANCE_ID: 'here',
      ...(runtimeUrl === undefined ? {} : { RUNTIME_ENDPOINT: runtimeUrl }),
      WORKER_AUTH_TOKEN: options.token ?? (await this.tokenFor(workerId, app)),
      ...(app === undefined ? { IS_PLACEHOLDER: 'true' } : toVariables(app)),
      ...variables,
    };
    const data = await mkdtemp(join(this.folder, 'sidecar-'));
    const words = ['sidecar', '--data-dir', data, '--keys', this.keysFile, '--verbose', ...flags];
    return new SidecarHost(workerId, this.#own(new DevProcess(words, environment, options.node)));
  }

  /** A token for a worker, or for a placeholder; `lifetimeMs` instead of a day. */
  async tokenFor(workerId: string, app: PodApp | undefined, lifetimeMs?: number): Promise<string> {
    const worker = { workerId, language: 'node', languageVersion: '', instanceId: 'here' };
    const issuer = lifetimeMs === undefined ? this.issuer : this.#issuerFor(lifetimeMs);
    if (app === undefined) return (await issuer.placeholder(worker)).reveal();
    const { applicationId, tenantId, codeVersion = '1.0.0' } = app;
    const application = { applicationId, metadataVersion: '1.0.0', codeVersion };
    return (await issuer.worker({ ...worker, tenantId, application })).reveal();
  }

  /** Any other command that runs until it is ended. */
  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): DevProcess {
    return this.#own(new DevProcess(words, environment));
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (process) => {
        // One that a test has stopped by SIGSTOP would not hear of it.
        process.signal('SIGCONT');
        await process.close();
      }),
    );
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #own(process: DevProcess): DevProcess {
    this.#processes.push(process);
    return process;
  }
}

export class RuntimeHost {
  readonly process: DevProcess;
  readonly dataFolder: string;
  readonly port: number;
  readonly rpcUrl: string;
  readonly controlUrl: string;

  private constructor(
    process: DevProcess,
    dataFolder: string,
    at: { port: number; rpcUrl: string; controlUrl: string },
  ) {
    this.process = process;
    this.dataFolder = dataFolder;
    this.port = at.port;
    this.rpcUrl = at.rpcUrl;
    this.controlUrl = at.controlUrl;
  }

  static async open(process: DevProcess, dataFolder: string): Promise<RuntimeHost> {
    const at = async (pattern: RegExp): Promise<string> => pattern.exec(await process.line(pattern))?.[1] ?? '';
    const port = Number(await at(/^\s+Apps\s+\S+:(\d+)$/));
    const rpcUrl = await at(/^\s+Workers\s+(\S+)$/);
    return new RuntimeHost(process, dataFolder, { port, rpcUrl, controlUrl: await at(/^\s+Control\s+(\S+)$/) });
  }

  get rpcPort(): number {
    return Number(new URL(this.rpcUrl).port);
  }

  async call(app: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return await requestPort(this.port, path, { ...options, app });
  }

  async kill(): Promise<void> {
    this.process.signal('SIGKILL');
    await this.process.exited();
  }
}

export class SidecarHost {
  readonly workerId: string;
  readonly process: DevProcess;

  constructor(workerId: string, process: DevProcess) {
    this.workerId = workerId;
    this.process = process;
  }

  /** Where it answers for health and assignments. */
  async url(): Promise<string> {
    return /(https?:\S+)\/health/.exec(await this.process.line(/^\s+Health\s/))?.[1] ?? '';
  }

  async kill(): Promise<void> {
    this.process.signal('SIGKILL');
    await this.process.exited();
  }
}

function toVariables({ applicationId, tenantId, scriptRoot, settings = {}, codeVersion }: PodApp) {
  return {
    APPLICATION_ID: applicationId,
    TENANT_ID: tenantId,
    AzureWebJobsScriptRoot: scriptRoot,
    ...(codeVersion === undefined ? {} : { CODE_VERSION: codeVersion }),
    ...settings,
  };
}
