/** Loading and unloading: how long each takes, and what 500 times leave behind. */
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import type { HostConnection } from '@switchyard/capability-broker';
import type { BenchRow } from './bench-row.ts';
import { openers, openProbe } from './capabilities-hosts.ts';
import { median, quantile } from './statistics.ts';

const rounds = 15;
const cycles = 500;
/** What the first cycles leave is warm-up: compiled code, pools of the runtime. */
const warmUpCycles = 50;
const megabyte = 1024 * 1024;

/** Load and unload times by kind of host, beside the barest start and end of the same thing. */
export async function loadAndUnload(): Promise<BenchRow[]> {
  const shared = openers['in-process']();
  const kinds = {
    'in-process': async () => {
      const loadMs = await timed(() => openProbe(shared, 'in-process'));
      return { loadMs, unloadMs: await timed(() => shared.host.unload('probe@1.0.0')) };
    },
    thread: () => startAndStop(openers.thread, 'thread'),
    process: () => startAndStop(openers.process, 'process'),
  };
  const bare = { 'in-process': undefined, thread: bareThreadMs, process: bareProcessMs };
  const rows: BenchRow[] = [];
  for (const [kind, cycle] of Object.entries(kinds)) {
    const startBare = bare[kind as keyof typeof bare];
    const times: { loadMs: number; unloadMs: number; bareMs: number }[] = [];
    for (let round = 0; round < rounds; round += 1)
      times.push({ ...(await cycle()), bareMs: (await startBare?.()) ?? 0 });
    rows.push(...toRows(kind, times));
  }
  return rows;
}

function toRows(kind: string, times: readonly { loadMs: number; unloadMs: number; bareMs: number }[]): BenchRow[] {
  const bareMs = median(times.map((time) => time.bareMs));
  const against = bareMs === 0 ? "the seed's claim" : `bare start of a ${kind}`;
  const seed = { load: 15, unload: 10 };
  const row = (name: string, ours: number, reference: number, target: string, what = against): BenchRow => ({
    name: `${name} a capability, ${kind}`,
    ours,
    reference,
    against: what,
    ratio: ours / reference,
    unit: 'ms',
    target,
  });
  const loads = times.map((time) => time.loadMs);
  const unloads = times.map((time) => time.unloadMs);
  return [
    row('load', median(loads), bareMs || seed.load, bareMs === 0 ? '< 15 ms' : '<= 2.5x'),
    row('load (p99)', quantile(loads, 0.99), bareMs || seed.load, 'told'),
    row('unload', median(unloads), seed.unload, 'told', "the seed's claim"),
    row('unload (p99)', quantile(unloads, 0.99), 100, 'told', "the seed's claim"),
  ];
}

/** Loads and unloads 500 times in a host of each kind that can; what memory is left over. */
export async function cycleMemory(): Promise<{ rows: BenchRow[]; notes: string[] }> {
  const shared = openers['in-process']();
  const rows: BenchRow[] = [];
  const notes: string[] = [];
  const kinds: Readonly<Record<string, () => Promise<void>>> = {
    'in-process': async () => {
      await openProbe(shared, 'in-process');
      const { outcome } = await shared.host.unload('probe@1.0.0');
      if (outcome !== 'unloaded') throw new Error('a capability of the benchmark leaked');
    },
    thread: () => startAndStop(openers.thread, 'thread').then(() => {}),
  };
  for (const [kind, cycle] of Object.entries(kinds)) {
    for (let count = 0; count < warmUpCycles; count += 1) await cycle();
    const beforeBytes = settledRss();
    for (let count = 0; count < cycles; count += 1) await cycle();
    const grownMb = (settledRss() - beforeBytes) / megabyte;
    notes.push(`${cycles} cycles of ${kind}: ${grownMb.toFixed(1)} MB more resident memory than before.`);
    rows.push({
      name: `memory after ${cycles} cycles, ${kind}`,
      ours: settledRss() / megabyte,
      reference: beforeBytes / megabyte,
      against: `after ${warmUpCycles} cycles`,
      ratio: settledRss() / beforeBytes,
      unit: 'MB',
      target: '<= 1.1x',
    });
  }
  return { rows, notes };
}

async function startAndStop(open: () => HostConnection, kind: string): Promise<{ loadMs: number; unloadMs: number }> {
  const startMs = performance.now();
  const host = open();
  await openProbe(host, kind);
  const loadMs = performance.now() - startMs;
  return { loadMs, unloadMs: await timed(() => host.kill()) };
}

async function timed(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function bareThreadMs(): Promise<number> {
  const code = "const { parentPort: p } = require('node:worker_threads'); p.postMessage(1); p.on('message', () => {});";
  const startMs = performance.now();
  const worker = new Worker(code, { eval: true });
  await new Promise((resolve) => worker.once('message', resolve));
  const tookMs = performance.now() - startMs;
  await worker.terminate();
  return tookMs;
}

async function bareProcessMs(): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['-e', 'console.log(1); process.stdin.resume()'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const tookMs = performance.now() - startMs;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await ended;
  return tookMs;
}

/** Resident memory after the collector ran; without it, what is garbage counts too. */
function settledRss(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  return process.memoryUsage.rss();
}
