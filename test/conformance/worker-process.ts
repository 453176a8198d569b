/** Starting our Node.js worker as the process that it is, on every version of Node.js that it supports. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { systemClock } from '@switchyard/kernel';
import { openScriptedHostServer, type PartCheck, requireOptionalPart, type ScriptedHost } from '@switchyard/testkit';

const packageFolder = fileURLToPath(new URL('../../packages/worker-node/', import.meta.url));

/** The worker's bundle, made from the sources as they are now. */
export interface WorkerBundle {
  readonly path: string;
  remove(): void;
}

/** Bundles the worker into a folder of its own. */
export async function buildWorker(): Promise<WorkerBundle> {
  const outDir = mkdtempSync(join(tmpdir(), 'switchyard-worker-'));
  const build = pathToFileURL(join(packageFolder, 'build.mjs')).href;
  const { bundleWorker } = (await import(build)) as { bundleWorker(options: { outDir: string }): Promise<string> };
  const path = await bundleWorker({ outDir });
  return { path, remove: () => rmSync(outDir, { recursive: true, force: true }) };
}

/** The folder of an app that the worker's tests serve. */
export function fixtureFolder(name: string): string {
  return join(packageFolder, 'fixtures', name);
}

/** A Node.js to run the worker on. */
export interface NodeVersion {
  readonly major: number;
  /** Where its program is; undefined when it is not on this machine. */
  readonly program: string | undefined;
}

/** Every version that the worker supports: from the environment, from the path, or the one that runs this. */
export function supportedNodes(): NodeVersion[] {
  const programs = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'));
  return [20, 22, 24].map((major) => {
    const candidates = [process.env[`SWITCHYARD_NODE${major}`] ?? '', process.execPath, ...programs];
    return { major, program: candidates.find((program) => program !== '' && majorOf(program) === major) };
  });
}

/**
 * Whether tests on this version can run. A missing one is a loud skip everywhere, also in continuous integration: a
 * machine has the Node.js of the repository and its own, rarely all three.
 */
export function requireNode({ major, program }: NodeVersion): PartCheck {
  const howToInstall = `Install it, or name its program in SWITCHYARD_NODE${major}.`;
  return requireOptionalPart(`Node.js ${major}`, program !== undefined, howToInstall);
}

function majorOf(program: string): number {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? 0);
}

export interface WorkerOptions {
  /** The program of Node.js. */
  readonly program: string;
  /** The worker's bundle. */
  readonly bundle: string;
  /** The app's folder, where the process starts. */
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running worker and the host that it is connected to. */
export interface WorkerProcess {
  readonly host: ScriptedHost;
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything on stderr so far. */
  stderr(): string;
  /** Resolves with the exit code or the signal. */
  readonly exited: Promise<number | string>;
  /** Ends the process, if it is still there, and the server. */
  stop(): Promise<void>;
}

/** Starts a worker against a scripted host and resolves when it has introduced itself. */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const server = await openScriptedHostServer(systemClock);
  const accepted = server.accept();
  const child = spawn(options.program, [options.bundle, ...server.workerArguments('w1')], {
    cwd: options.directory,
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...options.environment },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
  });
  const early = exited.then((code) => {
    throw new Error(`the worker ended with ${code} before it connected: ${errors}`);
  });
  const host = await Promise.race([accepted, early]);
  early.catch(() => {});
  await host.workerId;
  return {
    host,
    child,
    pid: child.pid ?? 0,
    stderr: () => errors,
    exited,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await server.close();
    },
  };
}
