/**
 * HTTP as streams: how fast bytes flow through the Runtime to a worker and back, beside a bare Node proxy in front of a
 * bare Node server; what a streamed call costs beside one through that proxy; and what the memory of our processes does over
 * a hundred thousand invocations.
 */
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';
import { openServer, switchyardDev } from './hello-servers.ts';
import { freePort, loadFrom, processTree, pssBytes, type Started, start, waitForOk } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 5;
const mebibyte = 1_048_576;
const transferBytes = 512 * mebibyte;
const startTimeoutMs = 30_000;
const settleMs = 1_000;
const warmUpInvocations = 20_000;
const measuredInvocations = 100_000;

interface Way {
  readonly port: number;
  readonly prefix: string;
}

interface Sample {
  readonly upPerSecond: number;
  readonly downPerSecond: number;
  readonly callMs: number;
}

/** Runs the benchmark; takes about two minutes. */
export async function benchStreaming(): Promise<BenchRow[]> {
  return [...(await benchTransfers()), ...(await benchGrowth())];
}

async function benchTransfers(): Promise<BenchRow[]> {
  const started: Started[] = [];
  try {
    const ours: Way = { port: await freePort(), prefix: '/api' };
    const launcher = script('../../packages/cli/bin/switchyard.js');
    const app = script('./fixtures/stream-app');
    started.push(start(process.execPath, [launcher, 'dev', app, '--port', String(ours.port), '--no-azurite']));
    const serverPort = await freePort();
    const peer: Way = { port: await freePort(), prefix: '' };
    const peerScript = script('./stream-peer.ts');
    started.push(start(process.execPath, [peerScript, 'server', String(serverPort)]));
    started.push(start(process.execPath, [peerScript, 'proxy', String(peer.port), String(serverPort)]));
    const [dev, , proxy] = started as [Started, Started, Started];
    await waitForOk(`http://127.0.0.1:${ours.port}/api/down/1`, dev, startTimeoutMs);
    await waitForOk(`http://127.0.0.1:${peer.port}/down/1`, proxy, startTimeoutMs);
    const samples: { ours: Sample; peer: Sample }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      samples.push({ ours: await sample(ours), peer: await sample(peer) });
    }
    const row = (name: string, unit: string, value: (one: Sample) => number): BenchRow => {
      const mine = median(samples.map((one) => value(one.ours)));
      const theirs = median(samples.map((one) => value(one.peer)));
      return {
        name,
        unit,
        ours: mine,
        reference: theirs,
        against: 'bare Node proxy',
        ratio: mine / theirs,
        target: '',
      };
    };
    return [
      row('upload of 512 MiB, streamed to a function', 'MiB/s', (one) => one.upPerSecond),
      row('download of 512 MiB, streamed from a function', 'MiB/s', (one) => one.downPerSecond),
      row('streamed call p50, 1 connection', 'ms', (one) => one.callMs),
    ];
  } finally {
    for (const one of started) await one.stop();
  }
}

async function sample({ port, prefix }: Way): Promise<Sample> {
  const upMs = await timed(() => transfer(port, `${prefix}/up`, transferBytes));
  const downMs = await timed(() => transfer(port, `${prefix}/down/${transferBytes}`, 0));
  const path = `${prefix}/down/16`;
  const calls = { host: '127.0.0.1', port, path, connections: 1, warmUpMs: 300, durationMs: 1_000 };
  const { p50Ms, errors } = await loadFrom(calls);
  if (errors > 0) throw new Error(`${errors} streamed calls failed`);
  const perSecond = (ms: number): number => transferBytes / mebibyte / (ms / 1_000);
  return { upPerSecond: perSecond(upMs), downPerSecond: perSecond(downMs), callMs: p50Ms };
}

/** Sends `sizeBytes` when there are any, and reads the answer to its end. */
async function transfer(port: number, path: string, sizeBytes: number): Promise<void> {
  const outgoing = request({ host: '127.0.0.1', port, path, method: sizeBytes > 0 ? 'POST' : 'GET', agent: false });
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.once('error', reject).once('response', (response) => {
      let received = 0;
      response.on('data', (bytes: Buffer) => {
        received += bytes.byteLength;
      });
      response.once('error', reject).once('end', () => resolve(received));
    });
  });
  const part = Buffer.alloc(mebibyte, 'x');
  for (let sent = 0; sent < sizeBytes; sent += part.byteLength) {
    if (!outgoing.write(part)) await new Promise((resolve) => outgoing.once('drain', resolve));
  }
  outgoing.end();
  const received = await answered;
  const expected = sizeBytes > 0 ? String(sizeBytes).length : transferBytes;
  if (received !== expected) throw new Error(`${path} answered ${received} bytes instead of ${expected}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Memory of Runtime and worker after a hundred thousand invocations, beside their own after the first twenty thousand. */
async function benchGrowth(): Promise<BenchRow[]> {
  const server = await openServer(switchyardDev);
  try {
    const load = async (invocations: number): Promise<void> => {
      const options = { host: '127.0.0.1', port: server.port, path: server.path, connections: 32, warmUpMs: 0 };
      for (let done = 0; done < invocations; ) done += (await loadFrom({ ...options, durationMs: 2_000 })).requests;
      await new Promise((resolve) => setTimeout(resolve, settleMs));
    };
    const weigh = (): readonly number[] =>
      processTree(server.started.pid)
        .slice(0, 2)
        .map((pid) => pssBytes(pid) / mebibyte);
    await load(warmUpInvocations);
    const before = weigh();
    await load(measuredInvocations);
    const after = weigh();
    return ['Runtime', 'Node worker'].map((name, index) => {
      const [ours = 0, reference = 0] = [after[index], before[index]];
      const against = 'itself after 20,000';
      return {
        name: `memory of the ${name} after 100,000 invocations more`,
        ...{ ours, reference, against, ratio: ours / reference, unit: 'MiB PSS', target: '<= 1.2 x' },
      };
    });
  } finally {
    await server.started.stop();
  }
}

function script(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
