/**
 * How fast a backlog of a queue is drained: by a function that does nothing under `switchyard dev`, beside a loop over
 * the storage SDK alone, on the same emulator in the same run. The two take turns, each on a queue of its own.
 *
 * A backlog needs somebody who does not take it while it grows: the processes are stopped (SIGSTOP) while the queue is
 * filled, and the clock starts when they go on. The emulator takes longer for a message the more it holds (5,000 are
 * drained at a twentieth of the pace of 500), so the messages come in batches.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { findAzurite, startAzurite } from '@switchyard/triggers/testing';
import type { BenchRow } from './bench-row.ts';
import { freePort, processTree, type Started, start, waitForOk } from './processes.ts';

const rounds = 40;
const batch = 500;
const sendersPerRound = 16;
const pollMs = 25;
const roundTimeoutMs = 30_000;
const startTimeoutMs = 30_000;

interface BacklogResult {
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}

/** One who drains a queue. */
interface Contender {
  readonly started: Started;
  readonly queue: QueueClient;
}

/** Runs the benchmark; takes about two minutes. */
export async function benchQueueBacklog(): Promise<BacklogResult> {
  const entry = findAzurite();
  if (entry === undefined) throw new Error('azurite is not installed');
  const azurite = await startAzurite(entry);
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  const contenders: Contender[] = [];
  try {
    const ours = await openOurs(azurite.connectionString, service.getQueueClient('backlog-ours'));
    contenders.push(ours);
    const raw = await openRaw(azurite.connectionString, service.getQueueClient('backlog-raw'));
    contenders.push(raw);
    // The first batches compile everything on both sides.
    for (const contender of contenders) await drainMs(contender);
    const totalMs = { ours: 0, raw: 0 };
    for (let round = 0; round < rounds; round += 1) {
      totalMs.ours += await drainMs(ours);
      totalMs.raw += await drainMs(raw);
    }
    return report(totalMs);
  } finally {
    for (const { started } of contenders) await started.stop();
    await azurite.stop();
  }
}

function report(totalMs: { readonly ours: number; readonly raw: number }): BacklogResult {
  const messages = rounds * batch;
  const ours = (messages / totalMs.ours) * 1_000;
  const reference = (messages / totalMs.raw) * 1_000;
  const total = messages.toLocaleString('en-US');
  const note =
    `Each side drained ${total} messages in ${rounds} batches of ${batch}, in turns. Azurite itself becomes the limit ` +
    'with longer backlogs: its time for a message grows with the messages that it holds.';
  const row = { name: `queue backlog drained, ${total} messages`, ours, reference, ratio: ours / reference };
  return { rows: [{ ...row, against: 'storage SDK loop', unit: 'messages/s', target: '>= 0.8' }], notes: [note] };
}

async function openOurs(storage: string, queue: QueueClient): Promise<Contender> {
  await queue.createIfNotExists();
  const port = await freePort();
  const launcher = script('../../packages/cli/bin/switchyard.js');
  const words = ['dev', script('./fixtures/backlog-app'), '--port', String(port), '--no-azurite', '--no-watch'];
  const started = start(process.execPath, [launcher, ...words], { environment: { AzureWebJobsStorage: storage } });
  try {
    await waitForOk(`http://127.0.0.1:${port}/api/ready`, started, startTimeoutMs);
    return { started, queue };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function openRaw(storage: string, queue: QueueClient): Promise<Contender> {
  await queue.createIfNotExists();
  const started = start(process.execPath, [script('./raw-queue-loop.ts'), queue.name], {
    environment: { BENCH_STORAGE: storage },
  });
  return { started, queue };
}

/** How long one batch takes. */
async function drainMs({ started, queue }: Contender): Promise<number> {
  const pids = processTree(started.pid);
  signal(pids, 'SIGSTOP');
  try {
    await fill(queue);
  } finally {
    signal(pids, 'SIGCONT');
  }
  const startMs = performance.now();
  while (((await queue.getProperties()).approximateMessagesCount ?? 0) > 0) {
    if (performance.now() - startMs > roundTimeoutMs) throw new Error(`a batch was not drained: ${started.output()}`);
    await pause(pollMs);
  }
  return performance.now() - startMs;
}

async function fill(queue: QueueClient): Promise<void> {
  let sent = 0;
  const send = async (): Promise<void> => {
    while (sent < batch) {
      sent += 1;
      await queue.sendMessage(Buffer.from(JSON.stringify({ number: sent })).toString('base64'));
    }
  };
  await Promise.all(Array.from({ length: sendersPerRound }, send));
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) process.kill(pid, name);
}

function script(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
