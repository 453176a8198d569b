import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { createReadyWorker } from '../testing/sample-worker.ts';
import { Heartbeat } from './heartbeat.ts';

function createHeartbeat() {
  const clock = new VirtualClock();
  const { worker, channel } = createReadyWorker();
  const silences: number[] = [];
  const heartbeat = new Heartbeat({ clock, random: createSeededRandom(1) }, defaultLimits, worker, () =>
    silences.push(clock.monotonic()),
  );
  return { clock, worker, channel, heartbeat, silences };
}

describe('Heartbeat', () => {
  test('asks every 15 seconds, with a request id', async () => {
    const { clock, channel } = createHeartbeat();
    await clock.advance(45_000);
    expect(channel.kinds).toEqual(['workerStatusRequest', 'workerStatusRequest', 'workerStatusRequest']);
    expect(new Set(channel.sent.map(({ requestId }) => requestId)).size).toBe(3);
  });

  test('I2: reports silence from the third miss on', async () => {
    const { clock, silences } = createHeartbeat();
    await clock.advance(59_999);
    expect(silences).toEqual([]);
    await clock.advance(15_001);
    expect(silences).toEqual([60_000, 75_000]);
  });

  test('I1: any frame takes the misses back', async () => {
    const { clock, worker, silences } = createHeartbeat();
    await clock.advance(59_000);
    worker.framesReceived += 1;
    await clock.advance(45_999);
    expect(silences).toEqual([]);
    await clock.advance(1);
    expect(silences).toEqual([105_000]);
  });

  test('I1: a worker that was never asked is not silent', async () => {
    const { clock, silences } = createHeartbeat();
    await clock.advance(15_000);
    await clock.advance(30_000);
    expect(silences).toEqual([]);
  });

  test('I3: after its end nothing is sent or reported', async () => {
    const { clock, channel, heartbeat, silences } = createHeartbeat();
    await clock.advance(30_000);
    heartbeat.stop();
    await clock.advance(100_000);
    expect(channel.sent).toHaveLength(2);
    expect(silences).toEqual([]);
  });
});
