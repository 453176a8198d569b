import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '@switchyard/kernel';
import { afterAll, expect, test } from 'vitest';
import { ThreadWorker } from './thread-worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'thread-'));
const file = join(folder, 'program.mjs');
writeFileSync(
  file,
  `import { parentPort, workerData } from 'node:worker_threads';
   parentPort.on('message', (request) => {
     if (request === 'close') parentPort.close();
     else if (request === 'spin') for (;;);
     else if (request === 'die') throw new Error('broken');
     else if (request === 'eat') { const held = []; for (;;) held.push(new Array(10000).fill(held.length)); }
     else parentPort.postMessage(request + workerData);
   });`,
);

afterAll(() => rmSync(folder, { recursive: true }));

const open = () =>
  new ThreadWorker<string, string>({ clock: systemClock }, { program: pathToFileURL(file), data: '!', maxHeapMb: 32 });

const terms = (change: { timeoutMs?: number; signal?: AbortSignal } = {}) => ({
  ...{ timeoutMs: 20_000, signal: new AbortController().signal, ...change },
  late: () => new Error('late'),
  lost: (reason: string) => new Error(`lost: ${reason}`),
});

test('answers one request after the other, and ends when it is closed', async () => {
  const worker = open();
  expect(await worker.run('a', terms())).toBe('a!');
  expect(await worker.run('b', terms())).toBe('b!');
  await worker.close();
  await worker.close();
  expect(worker.usable).toBe(false);
  await expect(worker.run('c', terms())).rejects.toThrow('lost');
});

test('I1: what spins is ended when it is late, and when it is stopped', async () => {
  const late = open();
  await expect(late.run('spin', terms({ timeoutMs: 50 }))).rejects.toThrow('late');
  expect(late.usable).toBe(false);
  const stopped = open();
  const controller = new AbortController();
  const running = stopped.run('spin', terms({ signal: controller.signal }));
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  await expect(open().run('a', terms({ signal: controller.signal }))).rejects.toThrow('enough');
});

test('I2: a thread that dies or takes too much memory fails its request', async () => {
  const dying = open();
  await expect(dying.run('die', terms())).rejects.toThrow('lost: broken');
  expect(dying.usable).toBe(false);
  await expect(open().run('eat', terms())).rejects.toThrow(/lost: .*memory/);
});
