import type { RollOutStrategy } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { domainErrors } from '../../domain/errors.ts';
import { put } from '../../domain/records.ts';
import { ControlWorld, type WorldOptions } from '../../testing/control-world.ts';
import { type ManifestParts, shopManifest, tester } from '../../testing/world-manifest.ts';

const minute = 60_000;

/** A world in which the first version of the shop is in service. */
async function open(options: WorldOptions = {}, parts: ManifestParts = {}): Promise<ControlWorld> {
  const world = new ControlWorld(options);
  world.start();
  await world.commands.apply(shopManifest(parts), tester);
  await world.advance(3 * minute);
  return world;
}

const traffic = (world: ControlWorld) => world.target.changes.filter((change) => change.includes('traffic'));
const states = (world: ControlWorld) =>
  world.state
    .all('deployment')
    .map(({ version, state }) => `${version} ${state}`)
    .sort();

describe('DeploymentWorker', () => {
  it.each<[RollOutStrategy, readonly string[]]>([
    [{ kind: 'rolling', batches: 2 }, ['v2=50 v1=50', 'v2=100']],
    [{ kind: 'blue-green' }, ['v2=0 v1=100', 'v2=100']],
    [{ kind: 'canary', steps: [10, 50] }, ['v2=10 v1=90', 'v2=50 v1=50', 'v2=100']],
  ])('I2: shifts the traffic step by step: %j', async (strategy, shares) => {
    const world = await open();
    await world.commands.deploy({ serviceId: 'shop', version: 'v2', strategy }, tester);
    await world.advance(minute);
    expect(traffic(world)).toEqual(['v1=100', ...shares].map((share) => `shop: traffic ${share}`));
    expect(states(world)).toEqual(['v1 completed', 'v2 completed']);
    await world.stop();
  });

  it('I2: gives the traffic back when a gate fails, and takes the bad version away', async () => {
    const world = await open();
    world.target.unhealthy.add('v2');
    await world.commands.deploy(
      { serviceId: 'shop', version: 'v2', strategy: { kind: 'canary', steps: [10] } },
      tester,
    );
    await world.advance(minute);
    expect(traffic(world).slice(1)).toEqual(['shop: traffic v2=10 v1=90', 'shop: traffic v1=100']);
    expect([...(world.target.services.get('shop')?.versions ?? [])]).toEqual(['v1']);
    expect(states(world)).toEqual(['v1 completed', 'v2 rolled-back']);
    const told = world.state.told.find(({ eventType }) => eventType === 'RuntimeDeploymentRolledBack');
    expect(told?.payload).toMatchObject({
      serviceId: 'shop',
      version: 'v2',
      previousVersion: 'v1',
      reason: 'the version v2 is unhealthy',
    });
    await world.stop();
  });

  it('brings settings before the first version where the target wants them first', async () => {
    const world = new ControlWorld();
    Object.assign(world.target, { settingsFirst: true });
    world.start();
    await world.commands.apply(shopManifest({ values: { COLOUR: 'red' } }), tester);
    await world.advance(3 * minute);
    const steps = world.target.changes.filter((change) => /provision|settings/.test(change));
    expect(steps).toEqual(['shop: settings COLOUR', 'shop: provision v1']);
    expect(states(world)).toEqual(['v1 completed']);
    await world.stop();
  });

  it('I2: a version that does not come up gets no traffic at all', async () => {
    const world = await open();
    world.target.broken.add('v2');
    await world.commands.deploy({ serviceId: 'shop', version: 'v2' }, tester);
    await world.advance(minute);
    expect(traffic(world)).toEqual(['shop: traffic v1=100']);
    expect(states(world)).toEqual(['v1 completed', 'v2 failed']);
    await world.stop();
  });

  it('I3: a first version whose gate fails is taken away', async () => {
    const world = new ControlWorld();
    world.target.unhealthy.add('v1');
    world.start();
    await world.commands.apply(shopManifest(), tester);
    await world.advance(minute);
    expect(world.target.services.size).toBe(0);
    expect(states(world)).toEqual(['v1 failed']);
    await world.stop();
  });

  it('I1: a crash after each write does each step again without effect', async () => {
    const undisturbed = await open();
    await undisturbed.commands.deploy({ serviceId: 'shop', version: 'v2' }, tester);
    const from = undisturbed.writes;
    await undisturbed.advance(2 * minute);
    const until = undisturbed.writes;
    expect(until - from).toBeGreaterThan(8);
    await undisturbed.stop();
    for (let crashAfter = from + 1; crashAfter <= until; crashAfter += 1) {
      const world = await open({ crashAfter });
      await world.commands.deploy({ serviceId: 'shop', version: 'v2' }, tester);
      await world.advance(3 * minute);
      expect(traffic(world)).toEqual(traffic(undisturbed));
      expect(states(world)).toEqual(['v1 completed', 'v2 completed']);
      await world.stop();
    }
  });

  it('one deployment of a service at a time, in the order in which they were asked for', async () => {
    const world = await open();
    await world.commands.deploy({ serviceId: 'shop', version: 'v2' }, tester);
    await world.advance(10);
    await world.commands.deploy({ serviceId: 'shop', version: 'v3' }, tester);
    await world.advance(minute);
    expect(traffic(world).at(-1)).toBe('shop: traffic v3=100');
    expect(traffic(world)).toContain('shop: traffic v2=100');
    await world.stop();
  });

  it('rolls back to the version before by a deployment of its own', async () => {
    const world = await open();
    await world.commands.deploy({ serviceId: 'shop', version: 'v2' }, tester);
    await world.advance(minute);
    await world.commands.rollBack('shop', tester);
    await world.advance(minute);
    expect(traffic(world).at(-1)).toBe('shop: traffic v1=100');
    expect(world.state.read('serviceSpec', 'shop')?.version).toBe('v1');
    await world.stop();
  });

  it('I4: a change that needs a restart restarts once', async () => {
    const world = await open({ canReload: false }, { values: { COLOUR: 'red' } });
    await world.commands.apply(shopManifest({ values: { COLOUR: 'blue' } }), tester);
    await world.advance(10 * minute);
    const shop = world.target.services.get('shop');
    expect(shop?.running.get('COLOUR')).toBe('blue');
    const restarts = world.state.all('deployment').filter(({ mode }) => mode === 'restart');
    expect(restarts.map(({ causeKey, state }) => `${causeKey} ${state}`).sort()).toEqual(
      [...new Set(restarts.map(({ causeKey }) => `${causeKey} completed`))].sort(),
    );
    expect(shop?.restarts).toBe(restarts.length);
    await world.stop();
  });

  it('I4: undoes a drift by itself where it may, and only so often', async () => {
    const world = await open({}, { environment: { remediation: 'auto' } });
    const shop = world.target.services.get('shop');
    if (shop !== undefined) shop.weights = [{ version: 'v9', weight: 100 }];
    await world.advance(10 * minute);
    expect(traffic(world).at(-1)).toBe('shop: traffic v1=100');
    // Somebody pulls the other way, again and again.
    for (let time = 0; time < 12; time += 1) {
      if (shop !== undefined) shop.weights = [{ version: 'v9', weight: 100 }];
      await world.advance(11 * minute);
    }
    const tries = world.state.all('deployment').filter(({ causeKey }) => causeKey?.startsWith('drift/') === true);
    const gaps = tries.map(({ createdAt }) => createdAt).sort((left, right) => left - right);
    for (const [index, gap] of gaps.entries()) {
      if (index > 0) expect(gap - (gaps[index - 1] ?? 0)).toBeGreaterThanOrEqual(10 * minute);
    }
    await world.stop();
  });

  it('I4: undoes a drift when somebody asks for it, once', async () => {
    const world = await open();
    const shop = world.target.services.get('shop');
    if (shop !== undefined) shop.weights = [{ version: 'v9', weight: 100 }];
    await world.advance(10 * minute);
    const [finding] = world.state.all('finding').filter(({ state }) => state === 'open');
    expect(finding).toMatchObject({ kind: 'version', desired: 'v1', actual: 'v9' });
    expect(shop?.weights).toEqual([{ version: 'v9', weight: 100 }]);
    await world.commands.remediate(finding?.findingId ?? '', tester);
    await world.advance(10 * minute);
    expect(shop?.weights).toEqual([{ version: 'v1', weight: 100 }]);
    expect(world.state.all('finding').every(({ state }) => state === 'resolved')).toBe(true);
    expect(world.state.all('workRequest')).toEqual([]);
    await world.stop();
  });

  it('forgets the oldest deployments of a service', async () => {
    const world = await open();
    const [first] = world.state.all('deployment');
    const old = Array.from({ length: 60 }, (_, at) => ({ ...first, deploymentId: `shop.old-${at}`, createdAt: at }));
    await world.state.commit({ puts: old.map((one) => put('deployment', one as never)), removes: [], events: [] });
    const shop = world.target.services.get('shop');
    if (shop !== undefined) shop.weights = [{ version: 'v9', weight: 100 }];
    await world.advance(10 * minute);
    const [finding] = world.state.all('finding').filter(({ state }) => state === 'open');
    await world.commands.remediate(finding?.findingId ?? '', tester);
    await world.advance(minute);
    expect(world.state.all('deployment')).toHaveLength(50);
    await world.stop();
  });

  describe('I5: traffic that somebody shares by hand', () => {
    const share = (world: ControlWorld, ...shares: readonly [string, number][]) =>
      world.commands.share(
        { serviceId: 'shop', shares: shares.map(([version, weight]) => ({ version, weight })), reason: 'traffic' },
        tester,
      );
    const modes = (world: ControlWorld) =>
      world.state
        .all('deployment')
        .map(({ mode, version, state }) => `${mode} ${version} ${state}`)
        .sort();

    it('is shared so at once, with a record of who wanted it, and the trace of the request in what is told', async () => {
      const world = await open();
      world.target.services.get('shop')?.versions.add('v2');
      const { deploymentId, trace } = await share(world, ['v1', 90], ['v2', 10]);
      await world.advance(1_000);
      expect(traffic(world).at(-1)).toBe('shop: traffic v1=90 v2=10');
      const record = world.state.read('deployment', deploymentId);
      expect(record).toMatchObject({ mode: 'traffic', state: 'completed', createdBy: 'ann' });
      const told = world.state.told.filter(({ traceId }) => traceId === trace.traceId);
      expect(told.map(({ eventType }) => eventType)).toEqual([
        'RuntimeDeploymentRequested',
        'RuntimeDeploymentCompleted',
        'RuntimeDriftDetected',
        'RuntimeInventoryUpdated',
      ]);
      await world.stop();
    });

    it('ends a roll-out that is under way', async () => {
      const world = await open();
      const strategy: RollOutStrategy = { kind: 'canary', steps: [10] };
      await world.commands.deploy({ serviceId: 'shop', version: 'v2', strategy, gateMs: 10 * minute }, tester);
      await world.advance(minute);
      await share(world, ['v1', 100]);
      await world.advance(30 * minute);
      expect(traffic(world).slice(1)).toEqual(['shop: traffic v2=10 v1=90', 'shop: traffic v1=100']);
      expect(modes(world)).toEqual(['roll-out v1 completed', 'roll-out v2 failed', 'traffic v1 completed']);
      await world.stop();
    });

    it('is taken back when it does not arrive, once, and says why', async () => {
      const world = await open();
      world.target.broken.add('v2');
      const { deploymentId } = await share(world, ['v2', 100]);
      await world.advance(minute);
      expect(world.state.read('deployment', deploymentId)).toMatchObject({
        state: 'rolled-back',
        reason: 'v2 does not start',
      });
      expect(traffic(world)).toEqual(['shop: traffic v1=100']);
      await world.stop();
    });

    it('stays as it was when the target refuses it', async () => {
      const world = await open();
      const { setTraffic } = world.target;
      world.target.setTraffic = async () => {
        throw domainErrors.create('RECORD_UNKNOWN', { kind: 'version', id: 'v9' });
      };
      const { deploymentId } = await share(world, ['v9', 100]);
      await world.advance(minute);
      expect(world.state.read('deployment', deploymentId)).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining("no version 'v9'"),
      });
      world.target.setTraffic = setTraffic;
      await world.stop();
    });

    it('is undone at once, without small steps, when what is wanted has been in service before', async () => {
      const strategy = { kind: 'canary', steps: [5, 50] };
      const parts = { environment: { remediation: 'auto' }, service: { strategy, gateMs: 10 * minute } };
      const world = await open({}, parts);
      await world.advance(30 * minute);
      world.target.services.get('shop')?.versions.add('v2');
      await share(world, ['v2', 100]);
      await world.advance(2_000);
      expect(traffic(world).slice(1)).toEqual(['shop: traffic v2=100', 'shop: traffic v1=100']);
      await world.stop();
    });

    it('is drift where a manifest says something else, and undone where it may be', async () => {
      const world = await open({}, { environment: { remediation: 'auto' } });
      world.target.services.get('shop')?.versions.add('v2');
      await share(world, ['v2', 100]);
      await world.advance(minute);
      expect(traffic(world).slice(1)).toContain('shop: traffic v2=100');
      expect(world.target.services.get('shop')?.weights).toEqual([{ version: 'v1', weight: 100 }]);
      expect(world.state.all('finding')).toMatchObject([{ kind: 'version', actual: 'v2', state: 'resolved' }]);
      await world.stop();
    });

    it('is drift where only a part of it goes elsewhere, and undone where it may be', async () => {
      const world = await open({}, { environment: { remediation: 'auto' } });
      world.target.services.get('shop')?.versions.add('v2');
      await share(world, ['v1', 90], ['v2', 10]);
      await world.advance(minute);
      expect(traffic(world).slice(1)).toContain('shop: traffic v1=90 v2=10');
      expect(world.target.services.get('shop')?.weights).toEqual([{ version: 'v1', weight: 100 }]);
      expect(world.state.all('finding')).toMatchObject([
        { kind: 'traffic', desired: '100 % v1', actual: '90 % v1, 10 % v2', state: 'resolved' },
      ]);
      await world.stop();
    });

    it('keeps a version in service whose gate fails while it takes the rest of the traffic back', async () => {
      const world = await open({}, { environment: { remediation: 'auto' } });
      world.target.services.get('shop')?.versions.add('v2');
      world.target.unhealthy.add('v1');
      await share(world, ['v1', 90], ['v2', 10]);
      await world.advance(minute);
      expect(world.target.services.get('shop')?.versions.has('v1')).toBe(true);
      expect(world.target.services.get('shop')?.weights.map(({ version }) => version)).toContain('v1');
      await world.stop();
    });
  });
});
