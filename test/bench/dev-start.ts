/** `switchyard dev` on an app of one HTTP function and no storage: from the start of the process to the first 200. */
import { execFileSync } from 'node:child_process';
import type { BenchRow } from './bench-row.ts';
import { startDev } from './hello-servers.ts';
import { freePort, waitForOk } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 7;
const targetMs = 1_000;
const startTimeoutMs = 30_000;

/** Runs the benchmark; takes about ten seconds. */
export async function benchDevStart(): Promise<BenchRow[]> {
  const rows = [await measure('switchyard dev to first 200', process.execPath)];
  const system = systemNode();
  if (system !== undefined)
    rows.push(await measure(`switchyard dev to first 200, bin of Node ${system.version}`, system.path));
  return rows;
}

async function measure(name: string, node: string): Promise<BenchRow> {
  const timesMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) timesMs.push(await timeToFirstAnswerMs(node));
  const ours = median(timesMs);
  return { name, ours, reference: targetMs, against: 'target', ratio: ours / targetMs, unit: 'ms', target: '< 1 s' };
}

async function timeToFirstAnswerMs(node: string): Promise<number> {
  const port = await freePort();
  const startMs = performance.now();
  const started = startDev(node, port);
  try {
    await waitForOk(`http://127.0.0.1:${port}/api/hello`, started, startTimeoutMs);
    return performance.now() - startMs;
  } finally {
    await started.stop();
  }
}

/**
 * The machine's own Node, when it is an older one: then the bin hands over to the Node 24 of the dependencies. Under npm,
 * `node` on PATH is already the one of the dependencies, and npm names its own.
 */
function systemNode(): { path: string; version: string } | undefined {
  try {
    const script = 'process.stdout.write(JSON.stringify([process.execPath, process.versions.node]))';
    const node = process.env.npm_node_execpath ?? 'node';
    const [path, version] = JSON.parse(execFileSync(node, ['-e', script], { encoding: 'utf8' })) as [string, string];
    return Number.parseInt(version, 10) < 24 ? { path, version } : undefined;
  } catch {
    return undefined;
  }
}
