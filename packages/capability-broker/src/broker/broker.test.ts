import { createDeferred } from '@switchyard/kernel';
import { expect, test } from 'vitest';
import type { FakeHost } from '../testing/fake-hosts.ts';
import { accountOf, needs, openBroker } from '../testing/open-broker.ts';
import type { AcquireOutcome } from './acquire-outcome.ts';

function codes(outcome: AcquireOutcome): Record<string, string> {
  return Object.fromEntries([...outcome.failures].map(([name, failure]) => [name, failure.code]));
}

function breakHost(host: FakeHost): void {
  host.gate = Promise.reject(new Error('broken'));
  host.gate.catch(() => {});
}

test('I1: required is all or nothing: what was acquired is given back, what was loaded stays warm', async () => {
  const { broker, hosts, register, acquire, prepareHosts } = openBroker();
  for (const key of ['a@1.0.0', 'b@1.0.0']) register(key);
  prepareHosts((host, place) => {
    if (place.includes('b:')) breakHost(host);
  });
  const outcome = await acquire('x', { required: ['a', 'b'] });
  expect([outcome.success, outcome.grants, outcome.missing]).toEqual([false, [], ['a', 'b']]);
  expect(codes(outcome)).toEqual({ b: 'SHARD_UNAVAILABLE' });
  expect(broker.leases.size).toBe(0);
  expect(hosts.get('1.0.0 a:shard-0')?.ended).toHaveLength(1);
  expect(broker.pool.all().map((instance) => instance.manifest.name)).toEqual(['a']);
  const optional = await acquire('x', { required: ['a'], optional: ['b', 'c'] });
  expect([optional.success, optional.missing]).toEqual([true, ['c', 'b']]);
  expect(optional.grants.map((grant) => grant.manifest.name)).toEqual(['a']);
});

test('I2: an acquire answers in time, and the load that it began is there for the next', async () => {
  const { clock, broker, register, acquire, prepareHosts } = openBroker();
  register('slow@1.0.0');
  const gate = createDeferred<void>();
  prepareHosts((host) => {
    host.gate = gate.promise;
  });
  const first = acquire('x', { capabilities: ['slow'], timeout: 100 });
  await clock.advance(100);
  expect(codes(await first)).toEqual({ slow: 'TIMEOUT' });
  gate.resolve();
  await clock.settle();
  expect(broker.leases.size).toBe(0);
  expect((await acquire('x', { required: ['slow'], allowColdStart: false })).success).toBe(true);
});

test('without cold starts only what is loaded is given', async () => {
  const { broker, register, acquire } = openBroker();
  register('a@1.0.0');
  expect(codes(await acquire('x', { required: ['a'], allowColdStart: false }))).toEqual({ a: 'SHARD_UNAVAILABLE' });
  await broker.warm('a');
  expect((await acquire('x', { required: ['a'], allowColdStart: false })).success).toBe(true);
});

test('I3: a dependency is leased below what needs it, for the same account, and ends with it', async () => {
  const { broker, hosts, register, acquire } = openBroker();
  register('base@1.0.0');
  register('top@1.0.0', needs('base'));
  const { grants } = await acquire('x', { required: ['top'] });
  const answer = await grants[0]?.target.invoke('echo', []);
  expect(answer).toMatchObject({ account: 'x', dependencies: ['base'] });
  expect(hosts.get('1.0.0 base:shard-0')?.opened).toMatchObject([{ account: 'x' }]);
  expect([broker.leases.size, grants.length]).toEqual([2, 1]);
  broker.release(grants.map((grant) => grant.lease.leaseId));
  expect([broker.leases.size, hosts.get('1.0.0 base:shard-0')?.ended.length]).toEqual([0, 1]);
});

test('I3: a dependency that does not load is named', async () => {
  const { register, acquire, prepareHosts } = openBroker();
  register('base@1.0.0');
  register('top@1.0.0', needs('base'));
  prepareHosts((host, place) => {
    if (place.includes('base')) breakHost(host);
  });
  const outcome = await acquire('x', { required: ['top'] });
  expect(outcome.failures.get('top')?.message).toContain("it needs 'base'");
  expect(codes(outcome)).toEqual({ top: 'DEPENDENCY_MISSING' });
});

test('I4: a dead host ends its leases at once, and the account goes elsewhere', async () => {
  const { clock, broker, hosts, register, acquire } = openBroker();
  register('ml@1.0.0', { tier: 3, kind: 'process', shards: 3 });
  const first = await acquire('x', { required: ['ml'] });
  const shard = first.grants[0]?.shard ?? '';
  expect((await acquire('x', { required: ['ml'] })).grants[0]?.shard).toBe(shard);
  hosts.get(`1.0.0 ${shard}`)?.die();
  await clock.settle();
  expect(broker.leases.size).toBe(0);
  const moved = await acquire('x', { required: ['ml'] });
  expect(moved.success).toBe(true);
  expect([moved.grants[0]?.fallback, moved.grants[0]?.shard === shard]).toEqual([true, false]);
  expect(moved.warnings[0]).toContain('is on ml:shard-');
  expect(broker.health()).toMatchObject({ status: 'healthy' });
  const stays = await acquire('x', { required: ['ml'] });
  expect(stays.grants[0]?.shard).toBe(moved.grants[0]?.shard);
});

test('I4: with one shard only the account comes back to it', async () => {
  const { clock, hosts, register, acquire } = openBroker();
  register('ml@1.0.0', { tier: 3, kind: 'process', shards: 1 });
  await acquire('x', { required: ['ml'] });
  hosts.get('1.0.0 ml:shard-0')?.die();
  await clock.settle();
  expect((await acquire('x', { required: ['ml'] })).grants[0]).toMatchObject({ shard: 'ml:shard-0', fallback: false });
});

test('a full shard overflows to the next, and when all are full the caller is told', async () => {
  const { register, acquire } = openBroker({ maxLeasesPerShard: 1 });
  register('ml@1.0.0', { tier: 3, kind: 'process', shards: 2 });
  const shards = [await acquire('x', { required: ['ml'] }), await acquire('x', { required: ['ml'] })];
  expect(new Set(shards.map((outcome) => outcome.grants[0]?.shard)).size).toBe(2);
  expect(shards.map((outcome) => outcome.grants[0]?.fallback)).toEqual([false, true]);
  expect(codes(await acquire('x', { required: ['ml'] }))).toEqual({ ml: 'RESOURCE_EXHAUSTED' });
});

test('I5: an account that has used up its leases does not touch another', async () => {
  const { register, acquire } = openBroker({ leases: { ttlMs: 1_000, maxPerAccount: 2 } });
  register('a@1.0.0');
  for (let index = 0; index < 2; index += 1) await acquire('greedy', { required: ['a'] });
  expect(codes(await acquire('greedy', { required: ['a'] }))).toEqual({ a: 'RESOURCE_EXHAUSTED' });
  expect((await acquire('other', { required: ['a'] })).success).toBe(true);
});

test('I5: an account that asks for too much at once does not hold up another', async () => {
  const { register, acquire, prepareHosts, clock } = openBroker({ bulkhead: { concurrent: 1, queued: 1 } });
  register('slow@1.0.0');
  register('fast@1.0.0');
  prepareHosts((host, place) => {
    if (place.includes('slow')) host.gate = new Promise(() => {});
  });
  const flood = Array.from({ length: 5 }, () => acquire('greedy', { required: ['slow'], timeout: 50 }));
  expect((await acquire('other', { required: ['fast'] })).success).toBe(true);
  await clock.advance(50);
  const failures = (await Promise.all(flood)).map((outcome) => codes(outcome).slow);
  expect(failures.filter((code) => code === 'RESOURCE_EXHAUSTED')).toHaveLength(3);
});

test('I5: what is privileged does not exist for others', async () => {
  const { broker, register, acquire } = openBroker();
  register('root@1.0.0', { privileged: true });
  expect(codes(await acquire('x', { required: ['root'] }))).toEqual({ root: 'CAPABILITY_NOT_FOUND' });
  expect(broker.list(accountOf('x'))).toEqual([]);
  expect(broker.list(accountOf('y', true))).toMatchObject([
    { name: 'root', version: '1.0.0', tier: 2, dependencies: [] },
  ]);
});

test('I6: while the share of a new version grows, no account goes back, and handles stay where they are', async () => {
  const { broker, register, acquire } = openBroker();
  register('a@1.0.0');
  register('a@2.0.0', {}, 0);
  const accounts = Array.from({ length: 60 }, (_, index) => `account-${index}`);
  const versions = new Map<string, string>();
  const kept = await acquire('account-0', { required: ['a'] });
  const counts: number[] = [];
  for (const weight of [0, 1, 10, 50, 100]) {
    broker.registry.setWeight('a', '2.0.0', weight);
    for (const account of accounts) {
      const { grants } = await acquire(account, { required: ['a'] });
      const version = grants[0]?.manifest.version ?? 'none';
      expect(version >= (versions.get(account) ?? '')).toBe(true);
      versions.set(account, version);
      broker.release(grants.map((grant) => grant.lease.leaseId));
    }
    counts.push([...versions.values()].filter((version) => version === '2.0.0').length);
  }
  expect(counts[0]).toBe(0);
  expect(counts[3]).toBeGreaterThan(15);
  expect(counts[4]).toBe(60);
  expect(broker.leases.get(kept.grants[0]?.lease.leaseId ?? '')?.version).toBe('1.0.0');
});

test('closing ends every host and every lease', async () => {
  const { clock, broker, hosts, register, acquire } = openBroker();
  register('a@1.0.0');
  await acquire('x', { required: ['a'] });
  await broker.close();
  expect([broker.leases.size, broker.pool.all(), hosts.get('1.0.0 a:shard-0')?.killed]).toEqual([0, [], 1]);
  expect(clock.pendingTimers).toBe(0);
  expect(codes(await acquire('x', { required: ['a'] }))).toEqual({ a: 'SHARD_UNAVAILABLE' });
});

test('what a host says of a load that failed reaches the caller as it is', async () => {
  const { register, acquire, prepareHosts } = openBroker();
  register('a@1.0.0');
  prepareHosts((host) => {
    const said = Object.assign(new Error("'a' 1.0.0 could not be loaded: no file"), {
      code: 'CAPABILITY_LOAD_FAILED',
      retryable: true,
    });
    host.gate = Promise.reject(said);
    host.gate.catch(() => {});
  });
  const failure = (await acquire('x', { required: ['a'] })).failures.get('a');
  expect(failure).toMatchObject({
    code: 'CAPABILITY_LOAD_FAILED',
    message: "'a' 1.0.0 could not be loaded: no file",
    retry: 'safe',
  });
});

test('a traced acquire is a span of the trace, and spans of hosts come with the next probe', async () => {
  const { clock, hosts, spans, register, acquire } = openBroker();
  register('a@1.0.0');
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await acquire('x', { required: ['a'], traceparent });
  await acquire('x', { required: ['b'], traceparent });
  await acquire('x', { required: ['a'] });
  expect(spans.map(({ name, error, parentSpanId }) => [name, error, parentSpanId])).toEqual([
    ['capability.acquire', '', 'b7ad6b7169203331'],
    ['capability.acquire', 'CAPABILITY_NOT_FOUND', 'b7ad6b7169203331'],
  ]);
  const span = { traceId, spanId: 'c', parentSpanId: 'd', name: 'a.echo', startMs: 1, durationMs: 2, error: '' };
  hosts.get('1.0.0 a:shard-0')?.spans.push(span);
  await clock.advance(2_000);
  expect(spans.at(-1)).toEqual(span);
});
