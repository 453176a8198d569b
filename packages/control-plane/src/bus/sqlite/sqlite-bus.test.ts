import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';

import { describe, expect, it } from 'vitest';
import { describeBusContract } from '../testing/bus-contract.ts';
import { openSampleBus, topic } from '../testing/sample-bus.ts';
import { openSqliteBus } from './sqlite-bus.ts';

describeBusContract(
  'the embedded bus',
  async () => {
    const clock = new VirtualClock();
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-bus-'));
    const forgotten: string[] = [];
    const inbox = {
      forget: async (subscription: string, ids: readonly string[]) => {
        forgotten.push(...ids.map((id) => `${subscription}/${id}`));
      },
    };
    const bus = openSqliteBus({ clock, random: createSeededRandom(1), inbox }, { file: join(folder, 'bus.db') });
    return {
      bus,
      topic: 'runtime-events',
      forgotten,
      now: () => clock.now(),
      run: (promise) => clock.runUntil(promise),
      elapse: (timeMs) => clock.advance(timeMs),
      close: async () => {
        await bus.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  { lockMs: 5_000, quietMs: 100, tellsDuplicates: true },
);

describe('the embedded bus', () => {
  it('I1: a publication that fails for one subscription reaches none, and may be repeated', async () => {
    const { bus, event } = openSampleBus();
    await bus.ensureSubscription({ topic, name: 'one' });
    await bus.ensureSubscription({ topic, name: 'two' });
    const envelope = event();
    // The second of the same turn breaks the batch: its time is no number that SQLite could hold.
    const both = await Promise.allSettled([
      bus.publish(topic, [{ envelope }]),
      bus.publish(topic, [{ envelope: event(), notBeforeMs: Number.NaN }]),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await bus.depths()).map(({ queued }) => queued)).toEqual([0, 0]);
    expect(await bus.publish(topic, [{ envelope }])).toEqual(['accepted']);
    expect((await bus.depths()).map(({ queued }) => queued)).toEqual([1, 1]);
    await bus.close();
  });

  it('I2: after the window an id is new again, and ids that are out of it are forgotten', async () => {
    const { bus, clock, event } = openSampleBus({ duplicateWindowMs: 60_000 });
    await bus.ensureSubscription({ topic, name: 'sub' });
    const envelope = event();
    await bus.publish(topic, [{ envelope }]);
    await clock.advance(59_999);
    expect(await bus.publish(topic, [{ envelope }])).toEqual(['duplicate']);
    await clock.advance(1);
    expect(await bus.publish(topic, [{ envelope }])).toEqual(['accepted']);
    expect((await bus.depths())[0]?.queued).toBe(2);
    await bus.close();
  });

  it('I3: a full subscription refuses, names itself, and takes again when there is room', async () => {
    const { bus, clock, event } = openSampleBus({ queuedLimit: 3 });
    await bus.ensureSubscription({ topic, name: 'slow' });
    await bus.publish(topic, [{ envelope: event() }, { envelope: event() }, { envelope: event() }]);
    const refused = event();
    await expect(bus.publish(topic, [{ envelope: refused }])).rejects.toThrow(
      /The subscription 'slow' of the topic 'topic' takes no more events: it holds 3, and 3 is the most/,
    );
    const receiver = bus.openReceiver(topic, 'slow');
    const [delivery] = await clock.runUntil(receiver.receive({ max: 1, waitMs: 0 }));
    await delivery?.complete();
    expect(await bus.publish(topic, [{ envelope: refused }])).toEqual(['accepted']);
    await bus.close();
  });

  it('is closed for good: what is asked for later is refused with a reason', async () => {
    const { bus, event } = openSampleBus();
    await bus.close();
    await expect(bus.publish(topic, [{ envelope: event() }])).rejects.toThrow(/The event bus is closed/);
  });
});
