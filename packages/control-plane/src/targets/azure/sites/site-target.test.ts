import { Secret, systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../../../../protocol/src/testing/self-signed.ts';
import { ScriptedArm } from '../../testing/scripted-arm.ts';
import { ScriptedSites } from '../../testing/scripted-sites.ts';
import { describeTargetContract, type TargetBench } from '../../testing/target-contract.ts';
import { openSites } from './open-sites.ts';
import type { SiteKind } from './site-shape.ts';

const tls = createSelfSigned('arm');
const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();
const all = (version: string) => [{ version, weight: 100 }];
const images = ['shop:1', 'shop:2'] as const;
const packages = ['https://packages.example.net/shop-1.zip', 'https://packages.example.net/shop-2.zip'] as const;

async function open(kind: SiteKind, settleMs = 300) {
  const sites = new ScriptedSites();
  const arm = new ScriptedArm([sites.provider], tls);
  const endpoint = await arm.listen();
  const credential = { getToken: async () => ({ token: arm.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const target = await openSites(
    { clock: systemClock, access: { credential, ca: tls.certificate }, probe: sites.probe },
    {
      ...{ kind, subscriptionId: 'sub', endpoint, retryDelayMs: 1, resourceGroup: 'shops', location: 'westeurope' },
      ...{ planId: '/plan', installation: 'test', namePrefix: 'acme-', containerPort: 8080, healthPath: '/' },
      ...{ pollMs: 1, settleMs },
    },
  );
  return { sites, arm, target };
}

describe.each([
  ['functions', packages],
  ['web', images],
] as const)('%s', (kind, versions) => {
  describeTargetContract(`App Service, ${kind}`, async (): Promise<TargetBench> => {
    const { sites, arm, target } = await open(kind);
    sites.silent.add('silent:1');
    return {
      ...{ target, service: shop, versions, broken: 'silent:1', slow: 'silent:1' },
      changes: () => sites.changes,
      spoil: (version) => void sites.silent.add(version),
      cut: () => {
        arm.refusal = { status: 503, code: 'ServiceUnavailable' };
      },
      close: () => arm.close(),
    };
  });
});

describe('createSiteTarget', () => {
  const [one, two] = packages;
  let bench: Awaited<ReturnType<typeof open>>;
  afterEach(() => bench.arm.close());

  const serve = async (version: string): Promise<void> => {
    expect(await bench.target.provision(shop, version, signal)).toEqual({ kind: 'ready' });
    await bench.target.setTraffic(shop, all(version));
  };
  const versionAt = (slot: string) => bench.sites.place('acme-shop', slot)?.settings.WEBSITE_RUN_FROM_PACKAGE;

  it('I1: a version that does not answer in its slot is not swapped in', async () => {
    bench = await open('functions');
    await serve(one);
    bench.sites.silent.add(two);
    await expect(bench.target.setTraffic(shop, all(two))).rejects.toMatchObject({ code: 'TARGET_NOT_SETTLED' });
    expect(versionAt('production')).toBe(one);
  });

  it('I2: the version before stays in the slot until the next one comes', async () => {
    bench = await open('functions');
    await serve(one);
    await serve(two);
    expect([versionAt('production'), versionAt('next')]).toEqual([two, one]);
    await bench.target.provision(shop, 'https://packages.example.net/shop-3.zip', signal);
    expect([versionAt('production'), versionAt('next')]).toEqual([two, 'https://packages.example.net/shop-3.zip']);
  });

  it('I2: part of the traffic goes to the slot, and none of it the wrong way after a swap', async () => {
    bench = await open('functions');
    await serve(one);
    await bench.target.provision(shop, two, signal);
    const shares = [
      { version: one, weight: 90 },
      { version: two, weight: 10 },
    ];
    await bench.target.setTraffic(shop, shares);
    expect((await bench.target.get('shop'))?.weights).toEqual(shares);
    await bench.target.setTraffic(shop, all(two));
    expect((await bench.target.get('shop'))?.weights).toEqual(all(two));
  });

  it('I3: settings are in both places, beside what the site itself needs', async () => {
    bench = await open('functions');
    await bench.target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]));
    await serve(one);
    await bench.target.provision(shop, two, signal);
    await bench.target.applySettings(shop, new Map([['COLOUR', new Secret('blue')]]));
    const own = { FUNCTIONS_EXTENSION_VERSION: '~4', COLOUR: 'blue' };
    expect(bench.sites.place('acme-shop', 'production')?.settings).toEqual({ ...own, WEBSITE_RUN_FROM_PACKAGE: one });
    expect(bench.sites.place('acme-shop', 'next')?.settings).toEqual({ ...own, WEBSITE_RUN_FROM_PACKAGE: two });
    const { changes } = bench.sites;
    await bench.target.applySettings(shop, new Map([['COLOUR', new Secret('blue')]]));
    expect(bench.sites.changes).toBe(changes);
    expect((await bench.target.readSettings('shop', ['WEBSITE_RUN_FROM_PACKAGE'])).size).toBe(0);
  });

  it('I4: touches no site that is not its own', async () => {
    bench = await open('web');
    const places = new Map([['production', { configuration: {}, settings: {} }]]);
    bench.sites.sites.set('acme-shop', { body: {}, places });
    await expect(bench.target.provision(shop, 'shop:1', signal)).rejects.toMatchObject({ code: 'SERVICE_FOREIGN' });
    expect([bench.sites.changes, await bench.target.get('shop')]).toEqual([0, undefined]);
    expect(await bench.target.list(undefined, signal)).toEqual({ items: [] });
  });

  it('leaves nothing of a first version that does not come up', async () => {
    bench = await open('web', 20);
    bench.sites.silent.add('shop:1');
    expect(await bench.target.provision(shop, 'shop:1', signal)).toMatchObject({ kind: 'failed' });
    await bench.target.retire(shop, 'shop:1');
    expect([...bench.sites.sites.keys()]).toEqual([]);
  });

  it('is patient with a resource manager that throttles, and goes on after an operation that failed', async () => {
    bench = await open('web');
    bench.arm.throttled = 2;
    await serve('shop:1');
    await bench.target.provision(shop, 'shop:2', signal);
    bench.arm.failingOperation = { code: 'Conflict', message: 'the slots are busy' };
    await expect(bench.target.setTraffic(shop, all('shop:2'))).rejects.toThrow();
    await bench.target.setTraffic(shop, all('shop:2'));
    expect(await bench.target.get('shop')).toMatchObject({ componentType: 'web-app', replicas: 1, status: 'running' });
  });

  it('says which limit it cannot keep', async () => {
    bench = await open('web');
    const limits = { minReplicas: 1, maxReplicas: 2, concurrency: 4 };
    await expect(bench.target.setLimits(shop, limits)).rejects.toMatchObject({ code: 'LIMIT_UNSUPPORTED' });
  });
});
