import { silentLog, silentMeter } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, expect, test } from 'vitest';
import { parseManifest } from '../registry/capability-manifest.ts';
import { FakeHost } from '../testing/fake-hosts.ts';
import { HostPool } from './host-pool.ts';

const pools: HostPool[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

function manifest(name: string, memoryFootprintBytes = 10) {
  return parseManifest({ name, version: '1.0.0', tier: 2, kind: 'thread', entry: 'x.mjs', memoryFootprintBytes });
}

function open(memoryBudgetBytes = 1_000) {
  const clock = new VirtualClock();
  const hosts: FakeHost[] = [];
  const ends: string[] = [];
  let prepare = (_host: FakeHost): void => {};
  const pool = new HostPool(
    {
      clock,
      log: silentLog,
      meter: silentMeter,
      random: createSeededRandom(1),
      openHost: () => {
        const host = new FakeHost();
        prepare(host);
        hosts.push(host);
        return host.connection;
      },
      pathsOf: () => ({ directPath: undefined, statePath: undefined }),
      keepAliveMs: () => 60_000,
      onEnd: (instance, end) => ends.push(`${instance.manifest.name} ${end.kind}`),
      onProbe: () => {},
    },
    { memoryBudgetBytes, loadTimeoutMs: 5_000, probeIntervalMs: 1_000, hangMs: 2_500 },
  );
  pools.push(pool);
  const ensure = (name: string, bytes?: number) => pool.ensure(manifest(name, bytes), `${name}:shard-0`);
  const prepareHosts = (next: typeof prepare): void => {
    prepare = next;
  };
  return { clock, pool, hosts, ends, ensure, prepareHosts };
}

const lease = { leaseId: 'l', account: 'x', ticket: '' };

test('I1: many requests at once start one host', async () => {
  const { ensure, hosts } = open();
  const instances = await Promise.all([ensure('a'), ensure('a'), ensure('a')]);
  expect(new Set(instances).size).toBe(1);
  expect([hosts.length, hosts[0]?.loads.length]).toEqual([1, 1]);
});

test('I2: the one that was used longest ago makes room, one in use does not', async () => {
  const { clock, pool, ensure, ends } = open(25);
  const first = await ensure('a');
  await clock.advance(10);
  await ensure('b');
  await first.open(lease, {});
  await ensure('c');
  expect(pool.all().map((instance) => instance.manifest.name)).toEqual(['a', 'c']);
  expect(ends).toEqual(['b unloaded']);
  await (await ensure('c')).open({ ...lease, leaseId: 'm' }, {});
  await expect(ensure('d')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  first.end('l');
  await ensure('d');
  expect(pool.memoryBytes).toBeLessThanOrEqual(25);
});

test('I3: after a failed load the shard is left alone for longer each time', async () => {
  const { clock, ensure, hosts, prepareHosts } = open();
  prepareHosts((host) => {
    host.gate = Promise.reject(new Error('broken'));
    host.gate.catch(() => {});
  });
  const waits: number[] = [];
  await expect(ensure('a')).rejects.toThrow('broken');
  for (let round = 0; round < 4; round += 1) {
    await expect(ensure('a')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    const startMs = clock.now();
    const count = hosts.length;
    while (hosts.length === count) {
      await clock.advance(100);
      await ensure('a').catch(() => {});
    }
    waits.push(clock.now() - startMs);
  }
  expect(waits.every((waitMs, index) => index === 0 || waitMs > (waits[index - 1] ?? 0))).toBe(true);
  expect(hosts.every((host) => host.killed === 1)).toBe(true);
});

test('I4: what nobody uses for its time is unloaded, what has a lease is not', async () => {
  const { clock, pool, ensure, hosts } = open();
  const used = await ensure('a');
  await used.open(lease, {});
  await ensure('b');
  await clock.advance(61_000);
  expect(pool.all()).toEqual([used]);
  used.end('l');
  expect(hosts[0]?.ended).toEqual(['l']);
  await clock.advance(61_000);
  expect(pool.all()).toEqual([]);
});

test('I5: a host that does not answer is killed', async () => {
  const { clock, ensure, hosts, ends } = open();
  await ensure('a');
  await clock.advance(5_000);
  expect(ends).toEqual([]);
  for (const host of hosts) host.hangs = true;
  await clock.advance(4_000);
  expect([ends, hosts[0]?.killed]).toEqual([['a died'], 1]);
});

test('I6: a host that dies is told once, and the next request starts another', async () => {
  const { clock, ensure, hosts, ends } = open();
  const first = await ensure('a');
  hosts[0]?.die();
  hosts[0]?.die();
  await clock.settle();
  expect(ends).toEqual(['a died']);
  await expect(first.open(lease, {})).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  expect(await ensure('a')).not.toBe(first);
});
