/** Hot reload: from the save of a file to the first answer of the new code, idle and under load; no request may fail. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';
import type { LoadResult } from './http-load.ts';
import { freePort, loadFrom, type Started, start, waitForOk } from './processes.ts';
import { median, quantile } from './statistics.ts';

const rounds = 15;
const starts = 5;
const targetMs = 1_000;
const startTimeoutMs = 30_000;
const reloadTimeoutMs = 20_000;
/** A pause between two saves, so that each is one of its own. */
const pauseMs = 150;
const loadConnections = 8;
/** Longer than all reloads of a series take. */
const loadMs = 12_000;

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the benchmark; takes about half a minute. */
export async function benchReload(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  try {
    writeApp(folder);
    const startMs = await medianStartMs(folder);
    const port = await freePort();
    const dev = startDev(folder, port);
    try {
      await waitForOk(urlOf(port), dev, startTimeoutMs);
      const idle = await saves(folder, port, 0);
      const load = loadFrom({
        host: '127.0.0.1',
        port,
        path: '/api/hello',
        connections: loadConnections,
        warmUpMs: 0,
        durationMs: loadMs,
      });
      const loaded = await saves(folder, port, rounds);
      return toRows(idle, loaded, startMs, await load);
    } finally {
      await dev.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toRows(idle: readonly number[], loaded: readonly number[], startMs: number, load: LoadResult): BenchRow[] {
  if (load.errors > 0) throw new Error(`${load.errors} of ${load.requests} requests failed during reloads`);
  const row = (name: string, ours: number, reference: number, against: string, target: string): BenchRow => ({
    name,
    ours,
    reference,
    against,
    ratio: ours / reference,
    unit: 'ms',
    target,
  });
  const underLoad = `save to new answer, p50 under load (${load.requests} requests, none failed)`;
  return [
    row('save to new answer, p50', median(idle), targetMs, 'target', '< 1 s'),
    row('save to new answer, worst', quantile(idle, 1), targetMs, 'target', '< 1 s'),
    row(underLoad, median(loaded), targetMs, 'target', '< 1 s'),
    row('save to new answer, p50', median(idle), startMs, 'start of switchyard dev to first 200', '<= 1.0x'),
  ];
}

/** Saves one version after the other; how long each took until it answered. */
async function saves(folder: string, port: number, from: number): Promise<number[]> {
  const timesMs: number[] = [];
  for (let version = from + 1; version <= from + rounds; version += 1) {
    const startMs = performance.now();
    writeVersion(folder, version);
    await waitForText(port, String(version));
    timesMs.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return timesMs;
}

async function waitForText(port: number, text: string): Promise<void> {
  const endMs = performance.now() + reloadTimeoutMs;
  while (performance.now() < endMs) {
    const response = await fetch(urlOf(port));
    if ((await response.text()) === text) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`version ${text} did not answer within ${reloadTimeoutMs} ms`);
}

async function medianStartMs(folder: string): Promise<number> {
  const timesMs: number[] = [];
  for (let round = 0; round < starts; round += 1) {
    const port = await freePort();
    const startMs = performance.now();
    const dev = startDev(folder, port);
    try {
      await waitForOk(urlOf(port), dev, startTimeoutMs);
      timesMs.push(performance.now() - startMs);
    } finally {
      await dev.stop();
    }
  }
  return median(timesMs);
}

function startDev(folder: string, port: number): Started {
  const launcher = join(repository, 'packages', 'cli', 'bin', 'switchyard.js');
  return start(process.execPath, [launcher, 'dev', folder, '--port', String(port), '--no-azurite']);
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/api/hello`;
}

/** A small app that finds the packages of this repository. */
function writeApp(folder: string): void {
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const files = {
    'host.json': { version: '2.0', logging: { logLevel: { default: 'Warning' } } },
    'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
    'package.json': { name: 'reloaded', type: 'module', main: 'hello.js' },
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
  writeVersion(folder, 0);
}

function writeVersion(folder: string, version: number): void {
  const code = `import { app } from '@azure/functions';
app.http('hello', { authLevel: 'anonymous', handler: async () => ({ body: '${version}' }) });
`;
  writeFileSync(join(folder, 'hello.js'), code);
}
