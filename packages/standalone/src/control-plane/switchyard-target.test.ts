import { Secret } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakePlatform, openFakePlatform } from './testing/fake-platform.ts';
import { createFakeTarget } from './testing/fake-target.ts';

let platform: FakePlatform | undefined;
afterEach(() => {
  platform?.close();
  platform = undefined;
});

function open() {
  const fake = openFakePlatform();
  platform = fake;
  return { fake, target: createFakeTarget(fake) };
}

const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();

describe('createSwitchyardTarget', () => {
  it('I2: tries a stored version out, and does it once', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    const [record] = fake.catalog.deployments.list('shop');
    const waiting = target.provision(shop, version, signal);
    // The upload's own deployment is under way: nothing else is begun.
    if (record !== undefined) fake.deploy(record);
    expect(await waiting).toEqual({ kind: 'ready' });
    expect(await target.provision(shop, version, signal)).toEqual({ kind: 'ready' });
    expect(fake.deployed).toEqual([version]);
  });

  it('I2: a version that does not come up, or that is not there, is not ready', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    fake.broken.add(version);
    const [record] = fake.catalog.deployments.list('shop');
    if (record !== undefined) fake.deploy(record);
    expect(await target.provision(shop, version, signal)).toEqual({
      kind: 'failed',
      reason: 'the worker does not start',
    });
    expect(fake.deployed).toHaveLength(2);
    expect(await target.provision(shop, 'f'.repeat(16), signal)).toMatchObject({ kind: 'failed' });
  });

  it('gives up waiting when it is told to', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    const stop = new AbortController();
    const waiting = expect(target.provision(shop, version, stop.signal)).rejects.toThrow();
    stop.abort();
    await waiting;
  });

  it('I1: shares the traffic through the catalog, and the same shares again change nothing', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    const waiting = target.provision(shop, version, signal);
    const [record] = fake.catalog.deployments.list('shop');
    if (record !== undefined) fake.deploy(record);
    await waiting;
    await target.setTraffic(shop, [{ version, weight: 100 }]);
    await target.setTraffic(shop, [{ version, weight: 100 }]);
    expect(fake.catalog.traffic.get('shop')).toMatchObject({ revision: 1, reason: 'deployment' });
    expect(await target.get('shop')).toMatchObject({
      ...{ serviceId: 'shop', tenantId: 'acme', version, weights: [{ version, weight: 100 }], status: 'running' },
      endpointUrl: 'http://shop.localhost',
    });
    expect(await target.healthOf('shop', version)).toBe('healthy');
    expect(await target.healthOf('shop', 'f'.repeat(16))).toBe('unknown');
    fake.errors.set('shop', 'the worker died');
    expect(await target.healthOf('shop', version)).toBe('unhealthy');
    expect(await target.get('shop')).toMatchObject({ status: 'degraded' });
    await expect(target.setTraffic(shop, [{ version, weight: 100 }])).rejects.toMatchObject({
      code: 'TARGET_UNSETTLED',
    });
  });

  it('an app that has traffic and is not hosted yet is on its way, not stopped', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    expect(await target.get('shop')).toMatchObject({ status: 'stopped' });
    for (const record of fake.catalog.deployments.list('shop')) fake.deploy(record);
    await target.setTraffic(shop, [{ version, weight: 100 }]);
    fake.status = () => [];
    expect(await target.get('shop')).toMatchObject({ status: 'unknown' });
    fake.errors.set('shop', 'its files are gone');
    expect(await target.get('shop')).toMatchObject({ status: 'failed' });
  });

  it('I1: writes only settings that differ, and reads back what runs', async () => {
    const { fake, target } = open();
    fake.upload('shop', 'a');
    const settings = new Map([['COLOUR', new Secret('red')]]);
    expect(await target.applySettings(shop, settings)).toBe('restarted');
    await target.applySettings(shop, settings);
    expect(fake.catalog.settings.get('shop').revision).toBe(1);
    expect((await target.readSettings('shop', ['COLOUR', 'OTHER'])).get('COLOUR')?.reveal()).toBe('red');
    fake.running.set('shop', new Map([['COLOUR', 'blue']]));
    expect((await target.readSettings('shop', ['COLOUR'])).get('COLOUR')?.reveal()).toBe('blue');
    fake.running.delete('shop');
    expect((await target.readSettings('shop', ['COLOUR'])).get('COLOUR')?.reveal()).toBe('red');
  });

  it('lists all apps in pages, and none of what is not there', async () => {
    const { fake, target } = open();
    for (let at = 0; at < 501; at += 1) {
      const stack = { runtime: 'node', version: '22', architecture: 'x64' };
      fake.catalog.applications.put({ applicationId: `app-${at}`, tenantId: 'acme', stack });
    }
    const first = await target.list(undefined, signal);
    const second = await target.list(first.next, signal);
    expect([first.items.length, second.items.length, second.next]).toEqual([500, 1, undefined]);
    expect(await target.get('nowhere')).toBeUndefined();
    expect(first.items[0]).toMatchObject({ status: 'stopped', version: '' });
  });

  it('acts on nothing of another tenant', async () => {
    const { fake, target } = open();
    const version = fake.upload('shop', 'a');
    const foreign = { serviceId: 'shop', tenantId: 'evil' };
    const limits = { minReplicas: 1, maxReplicas: 2 };
    for (const acting of [
      () => target.provision(foreign, version, signal),
      () => target.setTraffic(foreign, [{ version, weight: 100 }]),
      () => target.setLimits(foreign, limits),
      () => target.applySettings(foreign, new Map()),
      () => target.restart(foreign, signal),
    ]) {
      await expect(acting()).rejects.toMatchObject({ code: 'TARGET_APP_UNKNOWN' });
    }
    expect(fake.restarted).toEqual([]);
  });

  it('takes a change of traffic at the revision that was seen alone, and one that is so already at any', async () => {
    const { fake, target } = open();
    const [one, two] = ['a', 'b'].map((digit) => fake.upload('shop', digit));
    for (const record of fake.catalog.deployments.list('shop')) fake.deploy(record);
    const share = (version = '', revision: number) =>
      target.setTraffic(shop, [{ version, weight: 100 }], { reason: 'traffic', revision });
    await share(one, 0);
    await share(one, 0);
    await expect(share(two, 0)).rejects.toMatchObject({ code: 'REVISION_CONFLICT', blame: 'user' });
    expect(fake.catalog.traffic.get('shop')).toMatchObject({ revision: 1, reason: 'traffic' });
  });

  it('takes settings away, at the revision that was seen alone', async () => {
    const { fake, target } = open();
    fake.upload('shop', 'a');
    const set = new Map([['COLOUR', new Secret('red')]]);
    await target.applySettings(shop, set, { revision: 0 });
    await target.applySettings(shop, set, { revision: 0 });
    const change = target.applySettings(shop, new Map(), { remove: ['COLOUR'], revision: 0 });
    await expect(change).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
    await target.applySettings(shop, new Map(), { remove: ['COLOUR'], revision: 1 });
    expect([...(await target.readSettings('shop', ['COLOUR'])).keys()]).toEqual([]);
  });

  it('says that settings were taken without a restart when the version that runs stays the same', async () => {
    const { fake, target } = open();
    fake.upload('shop', 'a');
    const apply = (value: string) => target.applySettings(shop, new Map([['COLOUR', new Secret(value)]]));
    await apply('red');
    fake.canReload = true;
    expect(await apply('blue')).toBe('reloaded');
    fake.canReload = false;
    expect(await apply('green')).toBe('restarted');
  });
});
