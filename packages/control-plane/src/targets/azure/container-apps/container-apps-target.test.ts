import { Secret, systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../../../../protocol/src/testing/self-signed.ts';
import { ScriptedArm } from '../../testing/scripted-arm.ts';
import { ScriptedContainerApps } from '../../testing/scripted-container-apps.ts';
import { describeTargetContract, type TargetBench } from '../../testing/target-contract.ts';
import { openContainerApps } from './open-container-apps.ts';

const tls = createSelfSigned('arm');
const [one, two] = ['shop:1', 'shop:2'] as const;
const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();
const all = (version: string) => [{ version, weight: 100 }];

async function open(settleMs = 10_000) {
  const apps = new ScriptedContainerApps();
  const arm = new ScriptedArm([apps.provider], tls);
  const endpoint = await arm.listen();
  const credential = { getToken: async () => ({ token: arm.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const target = await openContainerApps(
    { clock: systemClock, access: { credential, ca: tls.certificate } },
    {
      ...{ subscriptionId: 'sub', endpoint, retryDelayMs: 1, resourceGroup: 'shops', location: 'westeurope' },
      ...{ environmentId: '/environment', installation: 'test', containerPort: 8080, pollMs: 1, settleMs },
    },
  );
  return { apps, arm, target };
}

describeTargetContract('Azure Container Apps', async (): Promise<TargetBench> => {
  const { apps, arm, target } = await open();
  apps.broken.add('broken:1');
  apps.slow.add('slow:1');
  return {
    ...{ target, service: shop, versions: [one, two], broken: 'broken:1', slow: 'slow:1' },
    changes: () => apps.changes,
    spoil: (version) => void apps.spoilt.add(version),
    cut: () => {
      arm.refusal = { status: 503, code: 'ServiceUnavailable' };
    },
    close: () => arm.close(),
  };
});

describe('createContainerAppsTarget', () => {
  let bench: Awaited<ReturnType<typeof open>>;
  afterEach(() => bench.arm.close());

  const serve = async (version: string): Promise<void> => {
    expect(await bench.target.provision(shop, version, signal)).toEqual({ kind: 'ready' });
    await bench.target.setTraffic(shop, all(version));
  };

  it('I1: makes no second revision of what is there, and wakes one that was put to sleep', async () => {
    bench = await open();
    await serve(one);
    await serve(two);
    await bench.target.provision(shop, 'shop:3', signal);
    expect(bench.apps.activeRevisions('shop')).toEqual([two, 'shop:3']);
    const { size } = bench.apps.apps.get('shop')?.revisions ?? new Map();
    await serve(one);
    expect(bench.apps.apps.get('shop')?.revisions.size).toBe(size);
    expect(await bench.target.get('shop')).toMatchObject({ version: one, status: 'running' });
  });

  it('I2: nobody reaches a first version before it has traffic, and a version that fails gets none', async () => {
    bench = await open();
    await bench.target.provision(shop, one, signal);
    expect(await bench.target.get('shop')).not.toHaveProperty('endpointUrl');
    await bench.target.setTraffic(shop, all(one));
    expect(await bench.target.get('shop')).toMatchObject({ endpointUrl: 'https://shop.example.net', replicas: 1 });
    bench.apps.broken.add(two);
    await expect(bench.target.setTraffic(shop, all(two))).rejects.toMatchObject({ code: 'TARGET_NOT_SETTLED' });
    expect(await bench.target.get('shop')).toMatchObject({ version: one, weights: all(one) });
  });

  it('I3: values are secrets of the app, and new revisions of all versions take them up', async () => {
    bench = await open();
    await bench.target.applySettings(shop, new Map([['PASSWORD', new Secret('crimson-9f2')]]));
    await serve(one);
    await bench.target.provision(shop, two, signal);
    const shares = [
      { version: one, weight: 75 },
      { version: two, weight: 25 },
    ];
    await bench.target.setTraffic(shop, shares);
    await bench.target.applySettings(shop, new Map([['PASSWORD', new Secret('scarlet-1a7')]]));
    expect((await bench.target.readSettings('shop', ['PASSWORD'])).get('PASSWORD')?.reveal()).toBe('scarlet-1a7');
    expect((await bench.target.get('shop'))?.weights).toEqual(shares);
    expect([...bench.apps.activeRevisions('shop')].sort()).toEqual([one, two]);
    const { body, revisions } = bench.apps.apps.get('shop') ?? {};
    const seen = JSON.stringify([body?.tags, body?.properties.template, [...(revisions ?? [])], bench.arm.asked]);
    expect(seen).not.toMatch(/crimson-9f2|scarlet-1a7/);
  });

  it('I4: touches no app that is not its own', async () => {
    bench = await open();
    bench.apps.apps.set('shop', { body: { location: 'westeurope', properties: {} }, revisions: new Map() });
    await expect(bench.target.provision(shop, one, signal)).rejects.toMatchObject({ code: 'SERVICE_FOREIGN' });
    expect([bench.apps.changes, await bench.target.get('shop')]).toEqual([0, undefined]);
    expect(await bench.target.list(undefined, signal)).toEqual({ items: [] });
  });

  it('is patient with a resource manager that throttles', async () => {
    bench = await open();
    bench.arm.throttled = 2;
    await serve(one);
    expect(bench.arm.throttled).toBe(0);
    expect(await bench.target.get('shop')).toMatchObject({ status: 'running' });
  });

  it('goes on where an operation has failed half-way', async () => {
    bench = await open();
    await serve(one);
    bench.arm.failingOperation = { code: 'InternalServerError', message: 'the fabric is busy' };
    await expect(bench.target.provision(shop, two, signal)).rejects.toThrow('the fabric is busy');
    await serve(two);
    expect(await bench.target.get('shop')).toMatchObject({ version: two, weights: all(two) });
  });

  it('keeps the number of requests that a replica takes at once', async () => {
    bench = await open();
    const limits = { minReplicas: 1, maxReplicas: 5, concurrency: 20 };
    await bench.target.setLimits(shop, limits);
    await serve(one);
    expect(await bench.target.get('shop')).toMatchObject({ limits });
  });
});
