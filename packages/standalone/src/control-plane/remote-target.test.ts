import { Secret } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createRemoteTarget } from './remote-target.ts';
import { createFakeControl, deploymentOf } from './testing/fake-control.ts';

const [one, two] = ['a'.repeat(16), 'b'.repeat(16)] as const;
const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();

function open() {
  const control = createFakeControl();
  const clock = new VirtualClock();
  control.records.push(deploymentOf(one, 'ready'));
  return { control, clock, target: createRemoteTarget({ clock, control }) };
}

describe('createRemoteTarget', () => {
  it('lists what runs there, in pages', async () => {
    const { control, target } = open();
    control.weights.set(one, 100);
    const page = await target.list(undefined, signal);
    expect(page).toMatchObject({
      items: [{ serviceId: 'shop', tenantId: 'acme', version: one, status: 'running', limits: { minReplicas: 1 } }],
      next: 'shop',
    });
    expect(await target.list('shop', signal)).toEqual({ items: [] });
    control.error = 'no worker starts';
    expect(await target.get('shop')).toMatchObject({ status: 'degraded' });
    expect(await target.healthOf('shop', one)).toBe('unhealthy');
    expect(await target.healthOf('shop', two)).toBe('unknown');
    expect(await target.get('elsewhere')).toBeUndefined();
  });

  it('waits for a version that comes up, tries one out anew that had failed, and knows none that is not there', async () => {
    const { control, clock, target } = open();
    expect(await target.provision(shop, one, signal)).toEqual({ kind: 'ready' });
    expect(await target.provision(shop, 'f'.repeat(16), signal)).toMatchObject({ kind: 'failed' });
    control.records.unshift(deploymentOf(two, 'failed'));
    expect(await target.provision(shop, two, signal)).toEqual({ kind: 'ready' });
    expect(control.calls).toEqual(['try bbbb']);
    const three = 'c'.repeat(16);
    control.records.unshift(deploymentOf(three, 'stored'));
    const waiting = target.provision(shop, three, signal);
    await clock.advance(1_000);
    control.records[0] = deploymentOf(three, 'failed');
    await clock.advance(1_000);
    expect(await waiting).toEqual({ kind: 'failed', reason: 'it does not start' });
  });

  it('shares the traffic once', async () => {
    const { control, target } = open();
    await target.setTraffic(shop, [{ version: one, weight: 100 }]);
    await target.setTraffic(shop, [{ version: one, weight: 100 }]);
    expect(control.calls).toEqual([`traffic ${one}=100`]);
  });

  it('sets settings, reads them back, and moves limits', async () => {
    const { control, target } = open();
    expect(await target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]))).toBe('restarted');
    expect((await target.readSettings('shop', ['COLOUR', 'OTHER'])).get('COLOUR')?.reveal()).toBe('red');
    await target.setLimits(shop, { minReplicas: 2, maxReplicas: 3 });
    expect(control.calls).toEqual(['scale']);
  });

  it('acts on nothing of another tenant, and cannot restart', async () => {
    const { control, target } = open();
    const foreign = { serviceId: 'shop', tenantId: 'evil' };
    for (const acting of [
      () => target.provision(foreign, one, signal),
      () => target.setTraffic(foreign, [{ version: one, weight: 100 }]),
      () => target.setLimits(foreign, { minReplicas: 1, maxReplicas: 2 }),
      () => target.applySettings(foreign, new Map()),
    ]) {
      await expect(acting()).rejects.toMatchObject({ code: 'TARGET_APP_UNKNOWN' });
    }
    await expect(target.restart(shop, signal)).rejects.toMatchObject({ code: 'TARGET_UNSETTLED' });
    expect(control.calls).toEqual([]);
  });
});
