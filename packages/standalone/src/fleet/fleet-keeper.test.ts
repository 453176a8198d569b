import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { FleetKeeper } from './fleet-keeper.ts';
import type { FleetMember } from './fleet-places.ts';
import { createMember, FakeHost } from './testing/fake-host.ts';

function open(maximum = 3) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const members: FleetMember[] = [createMember('local', new FakeHost())];
  const apps = new Map<string, readonly string[]>();
  const ids = new Map<string, string>();
  const heard: string[] = [];
  const processes: { instanceId: string; end: (words: string) => void }[] = [];
  const keeper = new FleetKeeper(
    {
      ...{ clock, log, random: createSeededRandom(3) },
      fleet: {
        members,
        appsOn: (id) => apps.get(id) ?? [],
        drainMember: async (id) => void heard.push(`drain ${id}`),
      },
      door: { runtimeIdOf: (instanceId) => ids.get(instanceId), dead: (id) => heard.push(`dead ${id}`) },
      provider: {
        region: 'north',
        async start(instanceId, name) {
          heard.push(`start ${name}`);
          const { promise, resolve } = Promise.withResolvers<string>();
          processes.push({ instanceId, end: resolve });
          return {
            instanceId,
            ended: promise,
            stop() {
              heard.push(`stop ${name}`);
              resolve('');
            },
          };
        },
      },
    },
    { maximum, idleMs: 10_000, drainMs: 1_000 },
  );
  const need = (region?: string) => keeper.need({ applicationId: 'shop', region, reason: 'no room' });
  /** The last one that was started joins. */
  const join = (id: string) => {
    ids.set(processes.at(-1)?.instanceId ?? '', id);
    members.push(createMember(id, new FakeHost()));
  };
  return { clock, log, keeper, heard, processes, members, apps, need, join };
}

describe('FleetKeeper', () => {
  it('I1: one starts at a time, and never more than there may be', async () => {
    const { clock, keeper, heard, need, join } = open();
    for (let round = 0; round < 10; round += 1) {
      need();
      await clock.advance(250);
    }
    expect([heard, keeper.mayCome(undefined), keeper.mayCome('south')]).toEqual([['start runtime-2'], true, false]);
    join('runtime-2');
    await clock.advance(250);
    need();
    await clock.advance(2_000);
    join('runtime-3');
    for (let round = 0; round < 10; round += 1) {
      need();
      await clock.advance(1_000);
    }
    expect([heard, keeper.mayCome(undefined)]).toEqual([['start runtime-2', 'start runtime-3'], false]);
  });

  it('I2: one that has had no app for long enough drains before it is stopped', async () => {
    const { clock, heard, apps, need, join } = open();
    need();
    await clock.advance(250);
    join('runtime-2');
    apps.set('runtime-2', ['shop']);
    await clock.advance(60_000);
    expect(heard).toEqual(['start runtime-2']);
    apps.delete('runtime-2');
    await clock.advance(10_000);
    await clock.advance(250);
    expect(heard.slice(1)).toEqual(['drain runtime-2', 'stop runtime-2', 'dead runtime-2']);
  });

  it('I3: one that ends before it joins is told with its last words, and tried again after a wait', async () => {
    const { clock, log, heard, processes, need } = open();
    need();
    await clock.advance(250);
    processes[0]?.end('the port is in use');
    await clock.settle();
    expect(log.withMessage('A Runtime ended before it joined')).toMatchObject([
      { fields: { lastWords: 'the port is in use' } },
    ]);
    need();
    await clock.advance(250);
    expect(heard).toEqual(['start runtime-2']);
    for (let round = 0; round < 8; round += 1) {
      need();
      await clock.advance(500);
    }
    expect(heard).toEqual(['start runtime-2', 'start runtime-3']);
  });

  it('I4: ends what it has started', async () => {
    const { clock, keeper, heard, need } = open();
    need();
    await clock.advance(250);
    await clock.runUntil(keeper.close());
    expect([heard.at(-1), clock.pendingTimers]).toEqual(['stop runtime-2', 0]);
  });
});
