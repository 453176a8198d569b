import { Secret } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createRemoteTarget, createRemoteTelemetry, type Provisioned } from './remote-target.ts';
import { createFakeControl } from './testing/fake-control.ts';
import { type FakePlatform, openFakePlatform } from './testing/fake-platform.ts';
import { createFakeTarget } from './testing/fake-target.ts';

const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();

let platform: FakePlatform | undefined;
afterEach(() => {
  platform?.close();
  platform = undefined;
});

function open() {
  const fake = openFakePlatform();
  platform = fake;
  const version = fake.upload('shop', 'a');
  for (const record of fake.catalog.deployments.list('shop')) fake.deploy(record);
  const control = createFakeControl(createFakeTarget(fake), { read: async (_, metric) => metric.length });
  const clock = new VirtualClock();
  return { fake, version, control, clock, target: createRemoteTarget({ clock, control }) };
}

describe('createRemoteTarget', () => {
  it('does and sees what the target does and sees from inside', async () => {
    const { fake, version, target, control } = open();
    expect(await target.provision(shop, version, signal)).toEqual({ kind: 'ready' });
    await target.setTraffic(shop, [{ version, weight: 100 }], { reason: 'rollback' });
    expect(fake.catalog.traffic.get('shop')).toMatchObject({ reason: 'rollback' });
    expect(await target.list(undefined, signal)).toMatchObject({ items: [{ serviceId: 'shop', version }] });
    expect(await target.get('elsewhere')).toBeUndefined();
    expect(await target.healthOf('shop', version)).toBe('healthy');
    expect(await target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]))).toBe('restarted');
    // What runs is read, not what is stored.
    fake.running.set('shop', new Map([['COLOUR', 'old']]));
    expect((await target.readSettings('shop', ['COLOUR'])).get('COLOUR')?.reveal()).toBe('old');
    await target.restart(shop, signal);
    expect(fake.restarted).toEqual(['shop']);
    expect(await createRemoteTelemetry(control).read('shop', 'waiting', 0)).toBe(7);
  });

  it('asks again for a version that takes longer than a call may', async () => {
    const { control, clock, version } = open();
    const said: Provisioned[] = [{ kind: 'under-way' }, { kind: 'under-way' }, { kind: 'ready' }];
    const provision = async (): Promise<Provisioned> => said.shift() ?? { kind: 'ready' };
    const target = createRemoteTarget({ clock, control: { ...control, provision } });
    const waiting = target.provision(shop, version, signal);
    await clock.advance(2_000);
    expect([await waiting, said]).toEqual([{ kind: 'ready' }, []]);
  });

  it('acts on nothing of another tenant', async () => {
    const { target, version } = open();
    const foreign = { serviceId: 'shop', tenantId: 'evil' };
    for (const acting of [
      () => target.provision(foreign, version, signal),
      () => target.setTraffic(foreign, [{ version, weight: 100 }]),
      () => target.setLimits(foreign, { minReplicas: 1, maxReplicas: 2 }),
      () => target.applySettings(foreign, new Map()),
      () => target.restart(foreign, signal),
    ]) {
      await expect(acting()).rejects.toMatchObject({ code: 'TARGET_APP_UNKNOWN' });
    }
  });
});
