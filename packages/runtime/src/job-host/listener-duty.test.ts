import { createDeferred } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { FunctionEntry } from './function-entry.ts';
import { ListenerDuty } from './listener-duty.ts';

function rig(isOffline?: () => boolean) {
  const clock = new VirtualClock();
  const heard: string[] = [];
  const drained = createDeferred<void>();
  const duty = new ListenerDuty({
    clock,
    isOffline,
    createSet: () => ({
      start: () => heard.push('start'),
      backlogs: async () => [{ functionName: 'work', messageCount: 3, oldestMs: 1 }],
      drain: async (deadlineMs) => {
        heard.push(deadlineMs === undefined ? 'drain' : `drain within ${deadlineMs}`);
        if (deadlineMs === undefined) await drained.promise;
      },
    }),
  });
  return { clock, heard, drained, duty };
}

describe('ListenerDuty', () => {
  test('tells what waits while it listens', async () => {
    const { duty } = rig();
    const { signal } = new AbortController();
    expect(await duty.backlogs(signal)).toEqual([]);
    duty.start([]);
    expect(await duty.backlogs(signal)).toEqual([{ functionName: 'work', messageCount: 3, oldestMs: 1 }]);
    duty.pause('drain');
    expect(await duty.backlogs(signal)).toEqual([]);
  });

  test('I1: starts once, pauses and starts anew', async () => {
    const { heard, drained, duty } = rig();
    duty.start([]);
    duty.start([]);
    expect(heard).toEqual(['start']);
    duty.pause('drain');
    duty.pause('state');
    expect([heard, duty.isPausing]).toEqual([['start', 'drain'], true]);
    drained.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(duty.isPausing).toBe(false);
    duty.resume('drain');
    expect(heard).toHaveLength(2);
    duty.resume('state');
    expect(heard).toEqual(['start', 'drain', 'start']);
  });

  test('I1: a pause before the start keeps everything still', () => {
    const { heard, duty } = rig();
    duty.pause('state');
    duty.start([]);
    expect([heard, duty.isPausedBy('state'), duty.isPausedBy('drain')]).toEqual([[], true, false]);
    duty.resume('state');
    expect(heard).toEqual(['start']);
  });

  test('I1: app_offline.htm pauses them for as long as it is there', async () => {
    let isThere = true;
    const { clock, heard, duty } = rig(() => isThere);
    duty.start([]);
    expect(heard).toEqual([]);
    isThere = false;
    await clock.advance(1_000);
    expect(heard).toEqual(['start']);
    isThere = true;
    await clock.advance(1_000);
    expect(heard).toEqual(['start', 'drain']);
  });

  test('I2: a pause gives what runs all the time that it needs', () => {
    const { heard, duty } = rig();
    duty.start([]);
    duty.pause('drain');
    expect(heard.at(-1)).toBe('drain');
  });

  test('I3: after the end nothing starts, and sets that still pause are hurried too', async () => {
    const { heard, duty } = rig();
    duty.start([]);
    duty.pause('drain');
    duty.resume('drain');
    await duty.drain(0);
    expect(heard).toEqual(['start', 'drain', 'start', 'drain within 0', 'drain within 0']);
    duty.pause('drain');
    duty.resume('drain');
    expect(heard).toHaveLength(5);
  });

  test('I4: with a gate each listener comes and goes by itself, and a pause holds all of them', () => {
    const allowed = new Set(['orders']);
    const heard: string[] = [];
    let changed = (): void => {};
    let next = 0;
    const duty = new ListenerDuty({
      clock: new VirtualClock(),
      gate: {
        mayListen: ({ metadata }) => allowed.has(metadata.name),
        watch: (observer) => {
          changed = observer;
          return () => heard.push('left');
        },
      },
      createSet: () => {
        let names = `set ${next++}`;
        return {
          start: (entries) => {
            names = entries.map(({ metadata }) => metadata.name).join();
            heard.push(`start ${names}`);
          },
          drain: async () => void heard.push(`drain ${names}`),
          backlogs: async () => [],
        };
      },
    });
    const entry = (name: string) => ({ metadata: { name } }) as unknown as FunctionEntry;
    duty.start([entry('orders'), entry('mails')]);
    expect(heard.splice(0)).toEqual(['start orders']);
    allowed.add('mails');
    changed();
    changed();
    expect(heard.splice(0)).toEqual(['start mails']);
    allowed.delete('orders');
    changed();
    expect(heard.splice(0)).toEqual(['drain orders']);
    duty.pause('memory');
    allowed.add('orders');
    changed();
    expect(heard.splice(0)).toEqual(['drain mails']);
    duty.resume('memory');
    expect(heard.splice(0)).toEqual(['start orders', 'start mails']);
    void duty.drain();
    // Those that were ending already are hurried, too.
    expect(heard[0]).toBe('left');
    expect(new Set(heard.slice(1))).toEqual(new Set(['drain orders', 'drain mails']));
  });
});
