import { MessageChannel, Worker } from 'node:worker_threads';
import { openSession, PortTransport } from '@switchyard/capabilities';
import { createDeferred, type Log } from '@switchyard/kernel';
import type { HostConnection, HostEnd } from '../host-contract.ts';
import { asHost, type RemoteHost } from '../remote-host.ts';
import { hostSession, lostHost } from '../session-limits.ts';

export interface ThreadHostOptions {
  /** What messages call it. */
  readonly shard: string;
  /** The host program. */
  readonly program: string;
  /** Flags of Node.js for it. */
  readonly flags: readonly string[];
  /** More heap than this ends the thread. */
  readonly maxHeapMb: number;
}

/**
 * Node.js stops a thread that reaches its limit, and grants it 16 MB until it has stopped. One collection may move the
 * whole young generation into the old one: when that is larger than the grant, V8 aborts the process instead. Measured:
 * two of eight processes died so with the default size, none with 8 MB or less.
 */
const maxYoungGenerationSizeMb = 4;

/** How many bytes of a line that a capability prints are kept. */
const maxLineLength = 4_096;

/**
 * A host in a thread of its own, for JavaScript that is not ours: its heap is its own and limited, it sees no
 * environment, it can be stopped while it spins, and stopping it gives its memory back. It shares the process's rights
 * to files and network, so what must not have those belongs in tier 3.
 */
export function openThreadHost({ log }: { readonly log: Log }, options: ThreadHostOptions): HostConnection {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(options.program, {
    workerData: { port: port2 },
    transferList: [port2],
    env: {},
    execArgv: [...options.flags],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb, maxYoungGenerationSizeMb },
  });
  for (const stream of [worker.stdout, worker.stderr])
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('utf8').slice(0, maxLineLength).trimEnd();
      log.write('information', 'A capability printed', { shard: options.shard, text });
    });
  const ended = createDeferred<HostEnd>();
  const transport = new PortTransport(port1, { ...lostHost(options.shard), batches: true });
  const session = openSession<RemoteHost>(transport, hostSession);
  let asked = false;
  let failure: string | undefined;
  worker.on('error', (error: Error) => {
    failure = error.message;
  });
  worker.on('exit', (code) => {
    const reason = failure ?? `its thread ended with code ${code}`;
    transport.lose(reason);
    ended.resolve({ reason: asked ? 'the broker stopped it' : reason, expected: asked });
  });
  return {
    host: asHost(session.main),
    dedicated: true,
    pid: undefined,
    ended: ended.promise,
    kill: async () => {
      asked = true;
      await worker.terminate();
    },
  };
}
