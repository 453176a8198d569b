/**
 * The node agent against the command that people would use instead: one `echo` from POST to its result beside
 * `docker run` of the same image on the same engine, 200 jobs beside a shell loop, and what the agent weighs while idle.
 * Both sides have no network and remove their containers. Needs root, dockerd and the docker command.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '@switchyard/node-agent/testing';
import type { BenchRow } from './bench-row.ts';
import { freePort, processTree, pssBytes, type Started, start, waitForOk } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 21;
const warmUpRounds = 3;
const batch = 200;
const concurrency = 4;
const startTimeoutMs = 30_000;
const idleMs = 2_000;
const megabyte = 1024 * 1024;
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The floor of the memory: JavaScript as it is, because types to strip would weigh more than the server. */
const bareServer = `require('node:http').createServer((_, response) => response.end('x')).listen(process.argv[1], '127.0.0.1')`;

interface AgentBenchmark {
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}

/** Runs the benchmark; takes about two minutes. */
export async function benchAgent(): Promise<AgentBenchmark> {
  if (requireTestEngine().skip) return { rows: [], notes: ['Not measured: it takes root, dockerd and busybox.'] };
  if (spawnSync('docker', ['--version']).status !== 0)
    return { rows: [], notes: ['Not measured: there is no docker command to compare with.'] };
  const engine = await openTestEngine();
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  try {
    const port = await freePort();
    const started = startAgent(engine, folder, port);
    try {
      const url = `http://127.0.0.1:${port}`;
      await waitForOk(`${url}/health`, started, startTimeoutMs);
      const idle = await measureIdle(started);
      return { rows: [await measureEcho(engine, url), ...(await measureBatch(engine, url)), idle], notes: [] };
    } finally {
      await started.stop();
    }
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startAgent({ socketPath }: TestEngine, folder: string, port: number): Started {
  const launcher = join(repository, 'packages', 'cli', 'bin', 'switchyard.js');
  const words = ['agent', '--port', String(port), '--docker-socket', socketPath, '--jobs', String(concurrency)];
  return start(process.execPath, [launcher, ...words], {
    cwd: repository,
    environment: { SWITCHYARD_AGENT_WORKSPACE_PATH: join(folder, 'workspaces'), SWITCHYARD_AGENT_DRAIN_SECONDS: '0' },
  });
}

/** Takes turns, so that what else the machine does hits both. */
async function measureEcho(engine: TestEngine, url: string): Promise<BenchRow> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const jobMs = await timed(() => runJob(url, `echo-${round}`));
    const commandMs = await timed(async () => runDocker(engine, ['echo', 'hello']));
    if (round < 0) continue;
    ours.push(jobMs);
    theirs.push(commandMs);
  }
  return row('echo, POST to result, p50', median(ours), median(theirs), 'docker run', 'ms', '<= 1.15');
}

async function measureBatch(engine: TestEngine, url: string): Promise<BenchRow[]> {
  const jobs = async (): Promise<void> => {
    const ids = Array.from({ length: batch }, (_, index) => `batch-${index}`);
    for (const id of ids) await submit(url, id);
    for (const id of ids) await result(url, id);
  };
  const seconds = (await timed(jobs)) / 1_000;
  const loop = `for i in $(seq ${batch}); do docker run --rm --network none ${testImage} echo hello >/dev/null; done`;
  const parallel = `seq ${batch} | xargs -P ${concurrency} -I{} docker run --rm --network none ${testImage} echo hello >/dev/null`;
  const loopSeconds = (await timed(async () => runShell(engine, loop))) / 1_000;
  const parallelSeconds = (await timed(async () => runShell(engine, parallel))) / 1_000;
  const name = `${batch} jobs, ${concurrency} at a time`;
  return [
    row(name, batch / seconds, batch / loopSeconds, 'shell loop of docker run', 'jobs/s', '> 1'),
    row(name, batch / seconds, batch / parallelSeconds, `xargs -P ${concurrency} docker run`, 'jobs/s', '>= 0.9'),
  ];
}

async function measureIdle(started: Started): Promise<BenchRow> {
  const port = await freePort();
  const bare = start(process.execPath, ['-e', bareServer, String(port)]);
  try {
    await waitForOk(`http://127.0.0.1:${port}/`, bare, startTimeoutMs);
    // What the start has left behind is collected meanwhile.
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    const weigh = (pid: number): number => processTree(pid).reduce((sum, one) => sum + pssBytes(one), 0) / megabyte;
    return row('idle agent, PSS', weigh(started.pid), weigh(bare.pid), 'bare node:http', 'MB', '<= 2.5');
  } finally {
    await bare.stop();
  }
}

async function runJob(url: string, id: string): Promise<void> {
  await submit(url, id);
  await result(url, id);
}

async function submit(url: string, id: string): Promise<void> {
  const runtime = { mode: 'image', image: testImage, cmd: ['echo', 'hello'] };
  const body = JSON.stringify({ protocol_version: 1, job_id: id, task: { type: 'bench' }, runtime });
  const response = await fetch(`${url}/jobs`, { method: 'POST', body });
  if (response.status !== 202) throw new Error(`the agent answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

async function result(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/jobs/${id}?wait_seconds=120`);
  const { state, stdout, error } = (await response.json()) as { state: string; stdout: string; error: unknown };
  if (state !== 'finished' || stdout !== 'hello\n') throw new Error(`job ${id}: ${state} ${JSON.stringify(error)}`);
}

function runDocker(engine: TestEngine, cmd: readonly string[]): void {
  runShell(engine, ['docker', 'run', '--rm', '--network', 'none', testImage, ...cmd].join(' '));
}

function runShell({ socketPath }: TestEngine, script: string): void {
  const env = { ...process.env, DOCKER_HOST: `unix://${socketPath}` };
  const { status, stderr } = spawnSync('sh', ['-c', script], { env });
  if (status !== 0) throw new Error(`'${script}' ended with ${status}: ${stderr}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function row(name: string, ours: number, reference: number, against: string, unit: string, target: string): BenchRow {
  return { name, ours, reference, against, ratio: ours / reference, unit, target };
}
