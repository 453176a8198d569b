/**
 * What a call to a capability costs on each path, beside the barest way over the same boundary in the same run; what loading
 * and unloading take; and whether 500 cycles of them leave anything behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type Capabilities, createCapabilities, openSession, PortTransport } from '@switchyard/capabilities';
import { WebSocket } from 'ws';
import type { BenchRow } from './bench-row.ts';
import { cycleMemory, loadAndUnload } from './capabilities-cycles.ts';
import { openers, openProbe } from './capabilities-hosts.ts';
import { keepProcessorsAwake } from './keep-awake.ts';
import { median, quantile } from './statistics.ts';

/** Short turns, so that what else the machine does meets all of them. */
const rounds = 60;
const callsPerRound = 200;
const warmUpCalls = 1_500;

const peer = fileURLToPath(new URL('./capabilities-peer.ts', import.meta.url));

/** One call; what it returns is not looked at. */
type Call = () => unknown;

interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Runs the benchmark; takes about a minute. */
export async function benchCapabilities(): Promise<{ rows: BenchRow[]; notes: string[] }> {
  const closers: (() => unknown)[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-caps-bench-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const latencies = await benchLatencies(folder, closers);
    const loads = await loadAndUnload();
    const cycles = await cycleMemory();
    return { rows: [...latencies, ...loads, ...cycles.rows], notes: [awakeNote, ...cycles.notes] };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

const awakeNote =
  'While latencies are measured, loops of the lowest priority keep the processors awake, for both numbers of a row: on a virtual ' +
  'machine that sleeps between two messages, waking it up costs more than the call.';

async function benchLatencies(folder: string, closers: (() => unknown)[]): Promise<BenchRow[]> {
  const letSleep = keepProcessorsAwake();
  try {
    return [
      ...(await benchInProcess()),
      ...(await benchSameThread(closers)),
      ...(await benchThread(closers)),
      ...(await benchProcesses(folder, closers)),
    ];
  } finally {
    letSleep();
  }
}

async function benchInProcess(): Promise<BenchRow[]> {
  const host = openers['in-process']();
  const target = await openProbe(host, 'in-process');
  const direct = { echo: (value: unknown): unknown => value };
  // A promise is awaited on both sides, because a caller of a capability always does.
  const [ours, raw] = await compare(
    () => target.invoke('echo', [1]),
    () => Promise.resolve(direct.echo(1)),
  );
  return latencyRows('in-process call', ours, raw, 'function call', 'p50 < 5 us', 'seed < 5 us');
}

async function benchSameThread(closers: (() => unknown)[]): Promise<BenchRow[]> {
  const host = openers['in-process']();
  await openProbe(host, 'in-process');
  const { port1, port2 } = new MessageChannel();
  const lost = (detail: string): Error => new Error(detail);
  openSession(new PortTransport(port1, { lost }), { main: host.host as never });
  const session = openSession<never>(new PortTransport(port2, { lost, batches: true }), {});
  closers.push(() => session.close());
  const main = session.main as unknown as typeof host.host;
  const target = await main.open({ key: 'probe@1.0.0', leaseId: 'same', account: 'bench', ticket: '' }, {});
  const raw = rawChannel();
  closers.push(raw.close);
  const [ours, reference] = await compare(() => target.invoke('echo', [1]), raw.call);
  return latencyRows('same thread', ours, reference, 'raw MessageChannel', '<= 4x', 'seed 20 us');
}

async function benchThread(closers: (() => unknown)[]): Promise<BenchRow[]> {
  const host = openers.thread();
  closers.push(() => host.kill());
  const target = await openProbe(host, 'thread');
  const raw = rawThread();
  closers.push(raw.close);
  const [ours, reference] = await compare(() => target.invoke('echo', [1]), raw.call);
  const chain = await compareChains((value) => target.invoke('add', [value, 1]));
  return [
    ...latencyRows('worker thread', ours, reference, 'raw postMessage', '<= 2x', 'seed 200 us'),
    chainRow('worker thread', chain),
  ];
}

async function benchProcesses(folder: string, closers: (() => unknown)[]): Promise<BenchRow[]> {
  const broker = await startPeer(['broker', folder], closers);
  const lines = await startPeer(['lines', join(folder, 'echo.sock')], closers);
  const sockets = await startPeer(['web-socket'], closers);
  const near = clientOf(broker.endpoint, broker.token, closers);
  const far = clientOf(broker.webSocketUrl, broker.token, closers);
  const caps = await near.acquire({ required: ['process', 'composed', 'thread'] });
  const remote = await far.acquire({ required: ['process', 'local'] });
  const handles = { direct: caps.handles.get('process'), through: remote.handles.get('process') };
  const local = remote.handles.get('local');
  const composed = caps.handles.get('composed');
  const rawLines = await rawLineEcho(lines.endpoint.slice('unix:'.length));
  const rawSocket = await rawWebSocketEcho(sockets.endpoint);
  closers.push(rawLines.close, rawSocket.close);
  const echo = (handle: typeof local): Call => {
    if (handle === undefined)
      throw new Error(`not acquired: ${[...caps.errors.values(), ...remote.errors.values()].join(' ')}`);
    return () => handle.invoke('echo', [1]);
  };
  const [unix, unixRaw, overSocket, socketRaw, relayed] = await compare(
    echo(handles.direct),
    rawLines.call,
    echo(local),
    rawSocket.call,
    echo(handles.through),
  );
  const [ask] = await compare(() => composed?.invoke('ask', ['process', 'echo', [1]]));
  const chain = await compareChains((value) => handles.direct?.invoke('add', [value, 1]));
  return [
    ...latencyRows('other process, direct route', unix, socketRaw, 'raw ws', '<= 4x', 'seed 200 us'),
    ...latencyRows('the same', unix, unixRaw, 'raw lines on a Unix socket', 'told'),
    ...latencyRows('other process, WebSocket', overSocket, socketRaw, 'raw ws', '<= 4x', 'seed 200 us'),
    ...latencyRows('through the broker, WebSocket', relayed, socketRaw, 'raw ws', 'told'),
    ...latencyRows('capability calls capability', ask, socketRaw, 'raw ws', 'told', 'seed 500 us'),
    chainRow('other process', chain),
  ];
}

/** Measures calls in turns, so that all of them see the same machine. */
async function compare(...calls: readonly [Call, ...Call[]]): Promise<[Latency, Latency, Latency, Latency, Latency]> {
  const samples = calls.map((): Latency[] => []);
  for (const call of calls) await measure(call, warmUpCalls);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, call] of calls.entries()) samples[index]?.push(await measure(call, callsPerRound));
  const none: Latency = { p50Us: 0, p99Us: 0 };
  const of = (index: number): Latency => {
    const list = samples[index];
    if (list === undefined) return none;
    // The quieter quarter of the rounds: what else runs on the machine is in the others.
    const p50Us = quantile(
      list.map((each) => each.p50Us),
      0.25,
    );
    return { p50Us, p99Us: median(list.map((each) => each.p99Us)) };
  };
  return [of(0), of(1), of(2), of(3), of(4)];
}

async function measure(call: Call, count: number): Promise<Latency> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startMs = performance.now();
    await call();
    times.push((performance.now() - startMs) * 1_000);
  }
  return { p50Us: quantile(times, 0.5), p99Us: quantile(times, 0.99) };
}

/** Five calls, each of which needs the answer of the one before: awaited one by one, and sent together. */
async function compareChains(add: (value: unknown) => unknown): Promise<{ sequential: Latency; pipelined: Latency }> {
  const length = 5;
  const sequential = async (): Promise<void> => {
    let value: unknown = 0;
    for (let step = 0; step < length; step += 1) value = await add(value);
    if (value !== length) throw new Error('the chain lost a step');
  };
  const pipelined = async (): Promise<void> => {
    let value: unknown = 0;
    for (let step = 0; step < length; step += 1) value = add(value);
    if ((await value) !== length) throw new Error('the chain lost a step');
  };
  const [one, other] = await compare(sequential, pipelined);
  return { sequential: one, pipelined: other };
}

function latencyRows(
  name: string,
  ours: Latency,
  reference: Latency,
  against: string,
  target: string,
  p99Target = 'told',
): BenchRow[] {
  const row = (label: string, left: number, right: number, wanted: string): BenchRow => ({
    name: `${name}, ${label}`,
    ours: left,
    reference: right,
    against,
    ratio: left / right,
    unit: 'us',
    target: wanted,
  });
  return [row('p50', ours.p50Us, reference.p50Us, target), row('p99', ours.p99Us, reference.p99Us, p99Target)];
}

function chainRow(name: string, { sequential, pipelined }: { sequential: Latency; pipelined: Latency }): BenchRow {
  return {
    name: `${name}, five dependent calls pipelined, p50`,
    ours: pipelined.p50Us,
    reference: sequential.p50Us,
    against: 'the same one by one',
    ratio: pipelined.p50Us / sequential.p50Us,
    unit: 'us',
    target: '<= 0.5x',
  };
}

interface RawPath {
  readonly call: Call;
  readonly close: () => unknown;
}

/** One message each way; whoever waits is told of the next answer. */
function pairUp(send: (message: string) => void): { call: Call; answered(): void } {
  let waiting: (() => void) | undefined;
  const message = JSON.stringify(['push', ['pipeline', 0, ['invoke'], ['echo', [[1]], {}]]]);
  return {
    call: () =>
      new Promise<void>((resolve) => {
        waiting = resolve;
        send(message);
      }),
    answered: () => waiting?.(),
  };
}

function rawChannel(): RawPath {
  const { port1, port2 } = new MessageChannel();
  const pair = pairUp((message) => port1.postMessage(message));
  port2.on('message', (message) => port2.postMessage(message));
  port1.on('message', () => pair.answered());
  return { call: pair.call, close: () => port1.close() };
}

function rawThread(): RawPath {
  const code = "const { parentPort: p } = require('node:worker_threads'); p.on('message', (m) => p.postMessage(m));";
  const worker = new Worker(code, { eval: true });
  const pair = pairUp((message) => worker.postMessage(message));
  worker.on('message', () => pair.answered());
  return { call: pair.call, close: () => worker.terminate() };
}

async function rawLineEcho(path: string): Promise<RawPath> {
  const socket = connectSocket(path);
  const pair = pairUp((message) => socket.write(`${message}\n`));
  createInterface(socket).on('line', () => pair.answered());
  await new Promise((resolve) => socket.once('connect', resolve));
  return { call: pair.call, close: () => socket.destroy() };
}

async function rawWebSocketEcho(url: string): Promise<RawPath> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const pair = pairUp((message) => socket.send(message));
  socket.on('message', () => pair.answered());
  await new Promise((resolve) => socket.once('open', resolve));
  return { call: pair.call, close: () => socket.terminate() };
}

function clientOf(endpoint: string, token: string, closers: (() => unknown)[]): Capabilities {
  const client = createCapabilities({ endpoint: () => endpoint, token: () => token, now: () => Date.now() });
  closers.push(() => client.close());
  return client;
}

interface PeerReady {
  readonly endpoint: string;
  readonly webSocketUrl: string;
  readonly token: string;
}

async function startPeer(words: readonly string[], closers: (() => unknown)[]): Promise<PeerReady> {
  const flags = ['--conditions=switchyard-source', '--disable-warning=ExperimentalWarning'];
  const child: ChildProcess = spawn(process.execPath, [...flags, peer, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  closers.push(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    await ended;
  });
  if (child.stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface(child.stdout)) return JSON.parse(line);
  throw new Error(`capabilities-peer ${words[0]} ended before it was ready`);
}
