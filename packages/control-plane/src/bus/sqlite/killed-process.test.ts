import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { openSampleBus } from '../testing/sample-bus.ts';

const program = fileURLToPath(new URL('../testing/publishing-process.ts', import.meta.url));

/** Runs the publisher on a file and kills it once `lines` events were accepted; answers with all that were. */
async function publishUntilKilled(file: string, lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--conditions=switchyard-source', program, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output.split('\n').slice(0, -1);
}

it('what was accepted survives the kill of its publisher, and each event is there once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-killed-'));
  const file = join(folder, 'bus.db');
  const accepted: string[] = [];
  for (const lines of [20, 120, 45]) accepted.push(...(await publishUntilKilled(file, lines)));
  expect(accepted.length).toBeGreaterThanOrEqual(185);
  // Later than any time of the publishers, whose clock is the system's.
  const { bus } = openSampleBus({ file }, new VirtualClock(Date.UTC(2200, 0, 1)));
  const receiver = bus.openReceiver('topic', 'sub');
  const found: string[] = [];
  for (;;) {
    const deliveries = await receiver.receive({ max: 256, waitMs: 0 });
    if (deliveries.length === 0) break;
    for (const delivery of deliveries) await delivery.complete();
    found.push(...deliveries.map(({ envelope }) => envelope.eventId));
  }
  expect(new Set(found).size).toBe(found.length);
  const missing = accepted.filter((eventId) => !found.includes(eventId));
  expect(missing).toEqual([]);
  await bus.close();
  rmSync(folder, { recursive: true });
});

it('a bus can be opened, read and written while another process publishes to it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-shared-'));
  const file = join(folder, 'bus.db');
  const child = spawn(process.execPath, ['--conditions=switchyard-source', program, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  const clock = new VirtualClock(Date.UTC(2200, 0, 1));
  const taken = new Set<string>();
  for (let round = 0; round < 15; round += 1) {
    const { bus, event, publish } = openSampleBus({ file }, clock);
    const receiver = bus.openReceiver('topic', 'sub');
    await publish({ ...event({ payload: round }), eventId: `mine-${round}` });
    const deliveries = await clock.runUntil(receiver.receive({ max: 50, waitMs: 5_000 }));
    expect(deliveries).not.toEqual([]);
    for (const delivery of deliveries) {
      expect(taken.has(delivery.envelope.eventId)).toBe(false);
      taken.add(delivery.envelope.eventId);
      expect(await delivery.complete()).toBe('settled');
    }
    await bus.close();
  }
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true });
});
