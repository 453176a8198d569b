import { Secret, systemClock } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { ScriptedCluster } from '../testing/scripted-cluster.ts';
import { createScriptedClusterApi } from '../testing/scripted-cluster-api.ts';
import { createClusterClient } from './cluster-client.ts';
import { createKubernetesTarget } from './kubernetes-target.ts';

const [one, two] = ['shop:1', 'shop:2'] as const;
const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();
const all = (version: string) => [{ version, weight: 100 }];

function open(settleMs = 5_000) {
  const cluster = new ScriptedCluster();
  const client = createClusterClient(createScriptedClusterApi(cluster), 'kubernetes');
  const target = createKubernetesTarget(
    { clock: systemClock, client },
    { namespace: 'shops', installation: 'test', containerPort: 8080, healthPath: '/', pollMs: 1, settleMs },
  );
  const selector = () => cluster.stored.get('services/shop')?.manifest.spec?.selector;
  const replicas = (image: string) => cluster.deployment(image)?.manifest.spec?.replicas;
  return { cluster, target, selector, replicas };
}

async function serve({ target }: ReturnType<typeof open>, version: string, minReplicas = 2): Promise<void> {
  await target.setLimits(shop, { minReplicas, maxReplicas: 9 });
  await target.provision(shop, version, signal);
  await target.setTraffic(shop, all(version));
}

describe('createKubernetesTarget', () => {
  it('I1: pins the Service on the version that has all the traffic, and lets the one before stand by', async () => {
    const bench = open();
    await serve(bench, one, 4);
    const pinned = bench.selector();
    await serve(bench, two, 4);
    expect(bench.selector()).not.toEqual(pinned);
    expect([bench.replicas(one), bench.replicas(two)]).toEqual([1, 4]);
    await bench.target.provision(shop, 'shop:3', signal);
    expect(bench.replicas(one)).toBeUndefined();
  });

  it('I1: divides the pods by weight where two versions have traffic', async () => {
    const bench = open();
    await serve(bench, one, 4);
    await bench.target.provision(shop, two, signal);
    await bench.target.setTraffic(shop, [
      { version: two, weight: 25 },
      { version: one, weight: 75 },
    ]);
    expect([bench.replicas(one), bench.replicas(two)]).toEqual([3, 1]);
    expect(bench.selector()).toEqual({ 'switchyard.dev/service': 'shop' });
  });

  it('I1: leaves the traffic where it is when the pods do not come up', async () => {
    const bench = open(30);
    await serve(bench, one);
    const before = bench.selector();
    bench.cluster.slow.add(two);
    await expect(bench.target.setTraffic(shop, all(two))).rejects.toMatchObject({ code: 'TARGET_NOT_SETTLED' });
    expect(bench.selector()).toEqual(before);
    expect(await bench.target.get('shop')).toMatchObject({ version: one });
  });

  it('I2: settings stand in the Secret alone, and are told of only when all pods have them', async () => {
    const bench = open();
    await bench.target.applySettings(shop, new Map([['PASSWORD', new Secret('crimson-9f2')]]));
    await serve(bench, one);
    const rest = [...bench.cluster.stored].filter(([key]) => key !== 'secrets/shop-settings');
    const encoded = Buffer.from('crimson-9f2').toString('base64');
    expect(JSON.stringify([rest, bench.cluster.asked])).not.toMatch(new RegExp(`crimson-9f2|${encoded}`));
    const read = async () => (await bench.target.readSettings('shop', ['PASSWORD'])).get('PASSWORD')?.reveal();
    expect(await read()).toBe('crimson-9f2');
    const key = 'secrets/shop-settings';
    const secret = bench.cluster.stored.get(key);
    // Somebody changed it by hand: the pods have it as it was before.
    if (secret !== undefined) bench.cluster.stored.set(key, { ...secret, resourceVersion: 999 });
    expect(await read()).toBeUndefined();
  });

  it('I3: touches no Service that is not its own', async () => {
    const bench = open();
    const body = JSON.stringify({ metadata: { name: 'shop', labels: {} }, spec: {} });
    const headers = { authorization: `Bearer ${bench.cluster.token}`, 'content-type': 'application/apply-patch+yaml' };
    const url = 'https://cluster/api/v1/namespaces/shops/services/shop?fieldManager=somebody';
    expect(bench.cluster.handle({ method: 'PATCH', url, headers, body }).status).toBe(201);
    const { changes } = bench.cluster;
    await expect(bench.target.provision(shop, one, signal)).rejects.toMatchObject({ code: 'SERVICE_FOREIGN' });
    expect([bench.cluster.changes, await bench.target.get('shop')]).toEqual([changes, undefined]);
  });

  it('takes ids that are no names of resources, and versions that are no labels', async () => {
    const { cluster, target } = open();
    const long = { serviceId: `shop.${'x'.repeat(90)}_a`, tenantId: 'acme' };
    const version = 'registry.example.com:5000/acme/shop@sha256:0123';
    await target.provision(long, version, signal);
    await target.setTraffic(long, all(version));
    expect(await target.get(long.serviceId)).toMatchObject({ serviceId: long.serviceId, version, status: 'running' });
    cluster.pageSize = 1;
    await target.provision(shop, one, signal);
    const first = await target.list(undefined, signal);
    const second = await target.list(first.next, signal);
    expect([...first.items, ...second.items].map(({ serviceId }) => serviceId)).toEqual([long.serviceId, 'shop']);
  });

  it('begins a list anew when the cluster has forgotten where the next page is, and not for ever', async () => {
    const { cluster, target } = open();
    await target.provision(shop, one, signal);
    await target.setTraffic(shop, all(one));
    await target.provision(shop, two, signal);
    cluster.pageSize = 1;
    cluster.forgotten = 1;
    expect(await target.get('shop')).toMatchObject({ version: one, status: 'running' });
    expect(cluster.forgotten).toBe(0);
    cluster.forgotten = 100;
    await expect(target.get('shop')).rejects.toMatchObject({ code: 'TARGET_REFUSED' });
  });

  it('takes everything of a service away with its last version', async () => {
    const { cluster, target } = open();
    await target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]));
    await target.provision(shop, one, signal);
    await target.retire(shop, one);
    expect([...cluster.stored.keys()]).toEqual([]);
  });

  it('says what the cluster refuses, and which limit it cannot keep', async () => {
    const { cluster, target } = open();
    const limits = { minReplicas: 1, maxReplicas: 2, concurrency: 4 };
    await expect(target.setLimits(shop, limits)).rejects.toMatchObject({ code: 'LIMIT_UNSUPPORTED' });
    cluster.refusal = { status: 429, message: 'too many requests' };
    await expect(target.get('shop')).rejects.toMatchObject({
      ...{ code: 'TARGET_REFUSED', retry: 'safe' },
      message: expect.stringContaining('status 429): too many requests'),
    });
  });
});
