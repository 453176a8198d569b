/**
 * The EventStream transport against grpc-js: bidirectional echo of 500-byte messages, client and server in processes of
 * their own, both kinds alternating within one run.
 *
 *     node test/bench/transport.ts
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';
import type { EchoRequest, EchoResult } from './transport-peer.ts';

const kinds = ['ours', 'grpc-js'] as const;
type Kind = (typeof kinds)[number];

const rounds = 7;
const saturated: EchoRequest = { inFlight: 64, messages: 100_000 };
const single: EchoRequest = { inFlight: 1, messages: 4_000 };

interface Round {
  readonly saturated: EchoResult;
  readonly single: EchoResult;
}

/** Runs the benchmark; takes about half a minute. */
export async function benchTransport(): Promise<BenchRow[]> {
  const peers = new Map<Kind, Peer>();
  try {
    for (const kind of kinds) peers.set(kind, await startPeer(kind));
    const results = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]));
    for (const peer of peers.values()) await peer.measure();
    for (let round = 0; round < rounds; round += 1) {
      for (const [kind, peer] of peers) results.get(kind)?.push(await peer.measure());
    }
    return toRows(results.get('ours') ?? [], results.get('grpc-js') ?? []);
  } finally {
    for (const peer of peers.values()) peer.stop();
  }
}

function toRows(ours: readonly Round[], reference: readonly Round[]): BenchRow[] {
  const row = (name: string, unit: string, target: string, value: (round: Round) => number): BenchRow => {
    const own = median(ours.map(value));
    const other = median(reference.map(value));
    return { name, ours: own, reference: other, ratio: own / other, unit, target };
  };
  return [
    row('transport echo, 64 in flight', 'messages/s', '>= 4 x grpc-js', (round) => round.saturated.messagesPerSecond),
    row('transport echo p50, 64 in flight', 'us', '<= grpc-js', (round) => round.saturated.p50Us),
    row('transport echo p50, 1 in flight', 'us', '', (round) => round.single.p50Us),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Peer {
  measure(): Promise<Round>;
  stop(): void;
}

async function startPeer(kind: Kind): Promise<Peer> {
  const server = startProcess('server', kind);
  const port = await reply<number>(server);
  const client = startProcess('client', kind, String(port));
  await reply(client);
  const ask = async (request: EchoRequest): Promise<EchoResult> => {
    client.send(request);
    return reply<EchoResult>(client);
  };
  return {
    measure: async () => ({ saturated: await ask(saturated), single: await ask(single) }),
    stop: () => {
      client.kill('SIGKILL');
      server.kill('SIGKILL');
    },
  };
}

function startProcess(...args: string[]): ChildProcess {
  const file = fileURLToPath(new URL('./transport-peer.ts', import.meta.url));
  return fork(file, args, { execArgv: ['--conditions=switchyard-source', '--no-warnings'] });
}

/** The next message of a process; rejects when it ends instead. */
function reply<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a benchmark process ended with code ${code}`));
    child.once('exit', onExit);
    child.once('message', (value) => {
      child.off('exit', onExit);
      resolve(value as T);
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchTransport());
