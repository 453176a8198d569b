/**
 * A Docker engine of the tests' own: dockerd in a temporary folder, without a bridge and without firewall rules, with one
 * image made of the machine's static busybox. Nothing of it touches another engine of the machine.
 *
 * containerd is started beside it, not by it: an older dockerd asks the kernel to kill its containerd with the thread that
 * started it, and threads come and go.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { sleep, systemClock } from '@switchyard/kernel';
import { type PartCheck, requirePart } from '@switchyard/testkit';
import { EngineClient } from '../driver/docker/engine-client.ts';
import { packTar, type TarEntry } from '../driver/docker/tar-archive.ts';

/** The image that every test engine has. */
export const testImage = 'docker.io/library/busybox:test';

export interface TestEngine {
  readonly socketPath: string;
  /** For the workspaces of its containers. */
  readonly folder: string;
  readonly client: EngineClient;
  /** Stops the daemon, in order or by force, and leaves its data; containers end with it. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts the daemon that was stopped. */
  start(): Promise<void>;
  /** Ends the daemon and removes everything. */
  close(): Promise<void>;
}

/** Commands of the image, which are names of the same file. */
const applets = [
  'sh',
  'echo',
  'cat',
  'sleep',
  'env',
  'id',
  'touch',
  'head',
  'tail',
  'ls',
  'seq',
  'dd',
  'mount',
  'wget',
  'yes',
  'true',
  'httpd',
  'nproc',
  'df',
  'grep',
  'tr',
  'md5sum',
  'test',
];

const startMs = 60_000;
const stopMs = 30_000;
const pollMs = 50;

const daemon = findProgram('dockerd');
const runtime = findProgram('containerd');
const busybox = findProgram('busybox');

/**
 * Whether a test engine can run here: it takes dockerd, a static busybox, and root. A missing part is a loud skip, and a
 * failure in continuous integration; without root it is a skip everywhere.
 */
export function requireTestEngine(): PartCheck {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    process.stderr.write('SKIPPED: Tests that need a container engine of their own need Linux and root.\n');
    return { skip: true };
  }
  const found = daemon !== undefined && runtime !== undefined && busybox !== undefined && isStatic(busybox);
  return requirePart('dockerd and a static busybox', found, 'Install them: apt-get install docker.io busybox-static');
}

export interface TestEngineOptions {
  /** Containers go on while the daemon is away. */
  readonly liveRestore?: boolean;
  /** A command that runs the engine somewhere else, such as in another network; the engine's own words come after it. */
  readonly within?: readonly string[];
}

export async function openTestEngine({
  liveRestore = false,
  within = [],
}: TestEngineOptions = {}): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-engine-'));
  const engine = new DaemonEngine(folder, liveRestore ? ['--live-restore'] : [], within);
  try {
    await engine.start();
    await engine.importImage();
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The files of the image, as a tar archive: the machine's static busybox under the names of its commands. */
export function packTestImage(): Buffer {
  const content = readFileSync(busybox ?? '/bin/busybox');
  const links: TarEntry[] = applets.map((name) => ({ path: `bin/${name}`, linkTo: 'busybox', mode: 0o777 }));
  const folders = ['bin/', 'tmp/', 'etc/', 'workspace/'].map((path) => ({ path }));
  const users = { path: 'etc/passwd', content: Buffer.from('root:x:0:0::/:/bin/sh\n') };
  return packTar([...folders, users, { path: 'bin/busybox', content, mode: 0o755 }, ...links]);
}

class DaemonEngine implements TestEngine {
  readonly folder: string;
  readonly socketPath: string;
  readonly client: EngineClient;
  readonly #flags: readonly string[];
  readonly #within: readonly string[];
  #process: ChildProcess | undefined;
  #runtime: ChildProcess | undefined;

  constructor(folder: string, flags: readonly string[], within: readonly string[]) {
    this.folder = folder;
    this.#flags = flags;
    this.#within = within;
    this.socketPath = join(folder, 'engine.sock');
    this.client = new EngineClient(systemClock, this.socketPath);
  }

  async start(): Promise<void> {
    rmSync(join(this.folder, 'engine.pid'), { force: true });
    await this.#startRuntime();
    const child = this.#spawn(
      daemon ?? 'dockerd',
      [
        ['--host', `unix://${this.socketPath}`],
        ['--containerd', this.#runtimeSocket],
        ['--data-root', join(this.folder, 'data')],
        ['--exec-root', join(this.folder, 'exec')],
        ['--pidfile', join(this.folder, 'engine.pid')],
        ['--bridge=none', '--iptables=false', '--ip6tables=false', '--shutdown-timeout', '2', ...this.#flags],
      ].flat(),
    );
    this.#process = child;
    await this.#until(startMs, async () => {
      if (child.exitCode !== null) throw new Error(`dockerd ended with ${child.exitCode}:\n${this.#said}`);
      return await this.client.send({ method: 'GET', path: '/version', timeoutMs: 2_000 }).then(
        () => true,
        () => false,
      );
    });
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
    this.#process = undefined;
  }

  async importImage(): Promise<void> {
    const tar = packTestImage();
    const query = { fromSrc: '-', repo: 'docker.io/library/busybox', tag: 'test' };
    const body = await this.client.stream({ method: 'POST', path: '/images/create', query, tar });
    for await (const _ of body);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.stop();
    this.#runtime?.kill('SIGTERM');
    for (const pid of processesOf(this.folder)) kill(pid);
    await this.#until(stopMs, async () => {
      unmountBelow(this.folder);
      try {
        rmSync(this.folder, { recursive: true, force: true });
        return true;
      } catch {
        return false;
      }
    });
  }

  get #runtimeSocket(): string {
    return join(this.folder, 'containerd.sock');
  }

  async #startRuntime(): Promise<void> {
    if (this.#runtime !== undefined) return;
    const config = join(this.folder, 'containerd.toml');
    // Kubernetes' part of it would want a network.
    writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const child = this.#spawn(
      runtime ?? 'containerd',
      [
        ['--config', config],
        ['--address', this.#runtimeSocket],
        ['--root', join(this.folder, 'containerd-root')],
        ['--state', join(this.folder, 'containerd-state')],
      ].flat(),
    );
    this.#runtime = child;
    await this.#until(startMs, async () => {
      if (child.exitCode !== null) throw new Error(`containerd ended with ${child.exitCode}:\n${this.#said}`);
      return existsSync(this.#runtimeSocket);
    });
  }

  /** What it says goes to a file: a pipe that nobody empties while a test is busy would hold it up. */
  #spawn(program: string, words: readonly string[]): ChildProcess {
    const log = openSync(this.#logFile, 'a');
    const [command = program, ...rest] = [...this.#within, program, ...words];
    const child = spawn(command, rest, { stdio: ['ignore', 'ignore', log] });
    closeSync(log);
    return child;
  }

  get #logFile(): string {
    return join(this.folder, 'engine.log');
  }

  /** The end of what it said. */
  get #said(): string {
    return read(this.#logFile).slice(-4_000);
  }

  async #until(limitMs: number, isDone: () => Promise<boolean>): Promise<void> {
    const endMs = systemClock.monotonic() + limitMs;
    while (!(await isDone())) {
      if (systemClock.monotonic() > endMs) throw new Error(`dockerd is not ready after ${limitMs} ms:\n${this.#said}`);
      await sleep(systemClock, pollMs);
    }
  }
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** True for a program that names no interpreter to load it. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4_096).includes('ld-linux');
}

/** What a daemon that was killed leaves mounted. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((one) => one.startsWith(`${folder}/`)).reverse())
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
}

/** Processes that this engine started: by their command line, and by the root file system of those in containers. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const root = read(`/proc/${pid}/mountinfo`)
        .split('\n')
        .find((line) => line.split(' ')[4] === '/');
      return read(`/proc/${pid}/cmdline`).includes(folder) || (root ?? '').includes(`${folder}/`);
    })
    .filter((pid) => pid !== process.pid);
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
