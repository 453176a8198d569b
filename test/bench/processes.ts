/** Starting, watching and weighing the processes that a benchmark measures. Linux only: it reads /proc. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoadOptions, LoadResult } from './http-load.ts';

/** The length of a tick of the counters in /proc/<pid>/stat. */
const ticksPerSecond = 100;

const pollMs = 2;
const keptChunks = 20;
const stopTimeoutMs = 5_000;

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it printed, for messages about failures. */
  output(): string;
  /** Ends it: SIGTERM, and SIGKILL when it stays. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a command; its console is kept for messages. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): Started {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      chunks.push(String(chunk));
      if (chunks.length > keptChunks) chunks.shift();
    });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      chunks.push(error.message);
      resolve();
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    output: () => chunks.join(''),
    async stop() {
      const below = processTree(child.pid ?? 0).slice(1);
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(timer);
      for (const pid of below) killQuietly(pid);
    },
  };
}

/** What a process left behind when it was stopped. It may be gone already. */
function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // No such process: good.
  }
}

/** Resolves as soon as the URL answers 200; rejects when the process ends first or the time is over. */
export async function waitForOk(url: string, started: Started, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    if (started.child.exitCode !== null) throw new Error(`the process ended: ${started.output()}`);
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${url} did not answer 200 within ${timeoutMs} ms: ${started.output()}`);
}

/** A port that is free right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** A process and everything below it. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat) parents.set(Number(name), Number(stat[1]));
  }
  const tree = [pid];
  for (const parent of tree) for (const [child, its] of parents) if (its === parent) tree.push(child);
  return tree;
}

/** User and system time that the processes have used so far. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = readStat(pid);
    return stat ? Number(stat[11]) + Number(stat[12]) : 0;
  });
  return ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond;
}

/** Memory of one process, shared pages counted by their share. */
export function pssBytes(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

/** The command line of a process. */
export function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

/** Runs a load from a process of its own. A nice one takes only the processors' time that nobody else wants. */
export async function loadFrom(options: LoadOptions, { nice = 0 } = {}): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./http-load-process.ts', import.meta.url));
  const running = promisify(execFile)(process.execPath, [script, JSON.stringify(options)]);
  if (nice > 0 && running.child.pid !== undefined) setPriority(running.child.pid, nice);
  const { stdout } = await running;
  return JSON.parse(stdout) as LoadResult;
}

/** The fields of /proc/<pid>/stat after the name, the state first; undefined when the process is gone. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

const settleMs = 1_000;

/** Gives processes time to come to rest before they are weighed. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}
