import type { RuntimeApplication } from '@switchyard/runtime';
import { ListenerLeases } from '@switchyard/scale-controller';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { PlaceDemands } from './fleet-app.ts';
import type { RuntimeNeed } from './fleet-options.ts';
import { FleetRuntime } from './fleet-runtime.ts';
import { createFakeHomes, createMember, FakeHost, sampleApplication } from './testing/fake-host.ts';

const ttlMs = 10_000;

const timer = { name: 'tick', trigger: 'timerTrigger', disabled: false };
const events = { name: 'events', trigger: 'eventHubTrigger', disabled: false };

function open(
  boundBy: (application: RuntimeApplication) => string | undefined = () => undefined,
  known: Readonly<Record<string, readonly string[]>> = {},
) {
  const kept = createFakeHomes(known);
  const clock = new VirtualClock();
  const leases = new ListenerLeases(clock, { ttlMs, generation: 1, hasPredecessors: false, localId: 'local' });
  const demands = new Map<string, PlaceDemands>();
  const needs: RuntimeNeed[] = [];
  let mayCome = true;
  const fleet = new FleetRuntime(
    {
      ...{ clock, log: createMemoryLog(clock), leases, boundBy, homes: kept },
      demandsOf: (applicationId) => demands.get(applicationId) ?? {},
      onNeed: (need) => needs.push(need),
      mayCome: () => mayCome,
    },
    { placeMs: 5_000, leaveMs: 2_000, returnMs: 20_000, drainMs: 1_000 },
  );
  const local = new FakeHost([timer, events]);
  const second = new FakeHost([timer, events]);
  fleet.add(createMember('local', local));
  const add = (application = sampleApplication()) => clock.runUntil(fleet.addApplication(application));
  const homes = (applicationId = 'shop') => fleet.servingOf(applicationId).map(({ runtimeId }) => runtimeId);
  return {
    ...{ clock, leases, demands, needs, fleet, local, second, add, homes, kept },
    refuseMore: () => {
      mayCome = false;
    },
  };
}

const { definition } = sampleApplication();

describe('FleetRuntime', () => {
  it('I1: an app stays at home while that has room, spans another Runtime beyond, and leaves it again', async () => {
    const { clock, fleet, local, second, needs, add, homes } = open();
    await add();
    fleet.add(createMember('r2', second));
    fleet.scaleTo(definition, { count: 20 });
    await clock.settle();
    expect([homes(), needs]).toEqual([['local'], []]);
    fleet.scaleTo(definition, { count: 23 });
    await clock.settle();
    expect(homes()).toEqual(['local', 'r2']);
    expect([local.workers.get('shop:m1:c1'), second.workers.get('shop:m1:c1')]).toEqual([20, 3]);
    expect(fleet.load('shop')).toMatchObject([{ readyCount: 23, wantedCount: 23 }]);
    expect(fleet.status()).toHaveLength(1);
    fleet.scaleTo(definition, { count: 5 });
    await clock.advance(4_000);
    expect(homes()).toEqual(['local']);
    expect(second.heard.at(-1)).toBe('remove shop:m1');
    expect(local.workers.get('shop:m1:c1')).toBe(5);
  });

  it('I1: what is told once is not told again, so that a Runtime may put an app to sleep', async () => {
    const { clock, fleet, local, add } = open();
    await add();
    fleet.scaleTo(definition, { count: 2 });
    local.workers.set('shop:m1:c1', 0);
    const { length } = local.heard;
    await clock.advance(20_000);
    expect(local.heard).toHaveLength(length);
    expect(fleet.placeOf(fleet.members[0] as never).connectedCount).toBe(0);
  });

  it('I2: says what it needs when the Runtimes are full, and how many have no room', async () => {
    const { clock, fleet, local, needs, add } = open();
    await add();
    fleet.scaleTo(definition, { count: 25 });
    await clock.settle();
    expect(local.workers.get('shop:m1:c1')).toBe(20);
    expect(needs[0]).toMatchObject({ applicationId: 'shop', reason: '5 of its workers have no room' });
  });

  it('I2: region, tenant and isolation decide where an app is, and where it moves', async () => {
    const { clock, fleet, local, second, demands, needs, add, homes } = open();
    await add();
    await add(sampleApplication('blog', { tenantId: 'fabrikam' }));
    demands.set('shop', { region: 'north' });
    await clock.advance(1_000);
    // It is served where it is until there is such a place.
    expect([homes(), needs.at(-1)?.region]).toEqual([['local'], 'north']);
    fleet.add(createMember('north-1', second, { region: 'north' }));
    await clock.advance(2_000);
    expect([homes(), local.versions.has('shop:m1:c1')]).toEqual([['north-1'], false]);
    demands.set('blog', { isolation: 'dedicated', region: 'north' });
    needs.length = 0;
    await clock.advance(1_000);
    expect([homes('blog'), needs[0]?.reason]).toEqual([
      ['local'],
      expect.stringContaining("a Runtime in the region 'north', and one that no other tenant's app is on"),
    ]);
  });

  it('I2: a new app for which there is no place waits for one, and is refused by name when none can come', async () => {
    const { clock, fleet, second, demands, homes, refuseMore } = open();
    demands.set('shop', { region: 'north' });
    const adding = fleet.addApplication(sampleApplication());
    await clock.advance(3_000);
    fleet.add(createMember('north-1', second, { region: 'north' }));
    await clock.runUntil(adding);
    expect(homes()).toEqual(['north-1']);
    demands.set('blog', { region: 'south' });
    refuseMore();
    const refused = clock.runUntil(fleet.addApplication(sampleApplication('blog')));
    await expect(refused).rejects.toMatchObject({
      code: 'FLEET_NO_RUNTIME',
      message: expect.stringContaining('south'),
    });
    expect(fleet.app('blog')).toBeUndefined();
  });

  it('I2: an app whose worker has to be started for it stays in this process', async () => {
    const { clock, fleet, local, second, add, homes } = open(() => 'its worker cannot wait for its app');
    await add();
    fleet.add(createMember('r2', second));
    fleet.scaleTo(definition, { count: 30 });
    await clock.settle();
    expect([homes(), local.workers.get('shop:m1:c1')]).toEqual([['local'], 20]);
  });

  it('I3: another Runtime gets every version and the traffic before it serves', async () => {
    const { clock, fleet, second, add, homes } = open();
    await add();
    await add(sampleApplication('shop', { definition: { ...definition, codeVersion: 'c2' } }));
    await clock.runUntil(fleet.setTraffic('shop', [{ metadataVersion: 'm1', codeVersion: 'c2', weight: 100 }]));
    fleet.add(createMember('r2', second));
    fleet.scaleTo({ ...definition, codeVersion: 'c2' }, { count: 21 });
    expect(homes()).toEqual(['local']);
    await clock.settle();
    expect(homes()).toEqual(['local', 'r2']);
    expect(second.heard).toEqual(['add shop:m1:c1', 'add shop:m1:c2', 'traffic shop', 'scale shop:m1:c2 10']);
    await clock.runUntil(fleet.removeVersion(definition, 1_000));
    expect(second.heard.at(-1)).toBe('remove shop:m1:c1');
  });

  it('I4: one Runtime listens for a function; sources with partitions are left to themselves', async () => {
    const { clock, leases, fleet, second, add } = open();
    await add();
    fleet.add(createMember('r2', second));
    fleet.scaleTo(definition, { count: 25 });
    await clock.settle();
    expect([leases.holderOf('shop', 'tick'), leases.holderOf('shop', 'events')]).toEqual(['local', undefined]);
  });

  it('I4, I5: a Runtime that is gone loses its apps and its listeners to others', async () => {
    const { clock, leases, fleet, local, second, demands, add, homes } = open();
    fleet.add(createMember('north-1', second, { region: 'north' }));
    demands.set('shop', { region: 'north' });
    await add();
    fleet.scaleTo(definition, { count: 3 });
    await clock.settle();
    expect([homes(), leases.holderOf('shop', 'tick')]).toEqual([['north-1'], 'north-1']);
    demands.delete('shop');
    fleet.lose('north-1', true);
    await clock.settle();
    expect([homes(), leases.holderOf('shop', 'tick')]).toEqual([['local'], 'local']);
    expect(local.workers.get('shop:m1:c1')).toBe(3);
  });

  it('I5: where the process may live on, its listeners are waited for', async () => {
    const { clock, leases, fleet, second, demands, add, homes } = open();
    fleet.add(createMember('north-1', second, { region: 'north' }));
    demands.set('shop', { region: 'north' });
    await add();
    demands.delete('shop');
    fleet.lose('north-1', false);
    await clock.advance(ttlMs - 1_000);
    expect([homes(), leases.holderOf('shop', 'tick')]).toEqual([['local'], 'north-1']);
    await clock.advance(1_500);
    expect(leases.holderOf('shop', 'tick')).toBe('local');
  });

  it('I6: comes back to where it was before a restart, also when that Runtime joins later', async () => {
    const { clock, fleet, local, second, add, homes, kept } = open(undefined, { shop: ['r2'], blog: ['local', 'r2'] });
    await add();
    await add(sampleApplication('blog'));
    // It is served meanwhile, and that is not remembered.
    expect([homes(), homes('blog'), kept.of('shop')]).toEqual([['local'], ['local'], ['r2']]);
    await clock.advance(5_000);
    fleet.add(createMember('r2', second));
    await clock.advance(2_000);
    expect([homes(), local.versions.has('shop:m1:c1')]).toEqual([['r2'], false]);
    expect([homes('blog'), kept.of('shop')]).toEqual([['local'], ['r2']]);
    // From now on it is as with any other app.
    fleet.lose('r2', true);
    await clock.advance(1_000);
    expect([homes(), kept.of('shop')]).toEqual([['local'], ['local']]);
  });

  it('I6: goes at once to where it was when that is there, and waits no longer than it may', async () => {
    const there = open(undefined, { shop: ['r2', 'local'] });
    there.fleet.add(createMember('r2', there.second));
    await there.add();
    await there.clock.advance(1_000);
    expect([there.homes(), there.kept.of('shop')]).toEqual([['r2'], ['r2']]);
    const away = open(undefined, { shop: ['r2'] });
    await away.add();
    await away.clock.advance(21_000);
    expect(away.kept.of('shop')).toEqual(['local']);
    away.fleet.add(createMember('r2', away.second));
    await away.clock.advance(5_000);
    expect(away.homes()).toEqual(['local']);
  });

  it('I6: does not come back to where it may not be any more', async () => {
    const { clock, fleet, second, demands, add, homes, kept } = open(undefined, { shop: ['north-1'] });
    demands.set('shop', { region: 'south' });
    fleet.add(createMember('south-1', new FakeHost(), { region: 'south' }));
    await add();
    fleet.add(createMember('north-1', second, { region: 'north' }));
    await clock.advance(25_000);
    expect([homes(), kept.of('shop')]).toEqual([['south-1'], ['south-1']]);
  });

  it('I3: a Runtime that drains hands its apps over and keeps none', async () => {
    const { clock, fleet, second, demands, add, homes } = open();
    fleet.add(createMember('north-1', second, { region: 'north' }));
    demands.set('shop', { region: 'north' });
    await add();
    demands.delete('shop');
    await clock.runUntil(fleet.drainMember('north-1', 10_000));
    expect([homes(), fleet.appsOn('north-1')]).toEqual([['local'], []]);
  });

  it('I3: a Runtime whose apps have nowhere to go keeps nobody waiting, and serves them until it ends', async () => {
    const { clock, fleet, second, demands, add, homes } = open();
    fleet.add(createMember('north-1', second, { region: 'north' }));
    demands.set('shop', { region: 'north' });
    await add();
    const startMs = clock.monotonic();
    await clock.runUntil(fleet.drainMember('north-1', 10_000));
    expect([homes(), clock.monotonic() - startMs]).toEqual([['north-1'], 0]);
  });

  it('I3: settings that change while an app runs reach each Runtime, and one that cannot is told', async () => {
    const { clock, fleet, local, second, add } = open();
    await add();
    fleet.add(createMember('r2', second));
    fleet.scaleTo(definition, { count: 30 });
    await clock.settle();
    const update = () => clock.runUntil(fleet.updateEnvironment(definition, new Map([['GREETING', 'hola']])));
    expect(await update()).toEqual({ kind: 'updated' });
    expect([local.heard.at(-1), second.heard.at(-1)]).toEqual(['update shop:m1:c1', 'update shop:m1:c1']);
    second.fails = 'it cannot';
    expect(await update()).toEqual({ kind: 'unable', reason: 'it cannot' });
  });
});
