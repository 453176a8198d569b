/** Loading and unloading with real hosts: budget, eviction, leaks, state, roll-outs. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { defaultBrokerOptions } from '@switchyard/capability-broker';
import { createMemoryLog } from '@switchyard/testkit';
import { afterAll, afterEach, expect, it } from 'vitest';
import { connectAdministrator } from './connect-administrator.ts';
import type { CycleReport } from './testing/load-cycles.ts';
import { openRunningBroker, probe, type RunningTestBroker, removeTestFolders } from './testing/open-running-broker.ts';

let broker: RunningTestBroker;
afterEach(async () => {
  await broker?.close();
});
afterAll(() => removeTestFolders());

const megabyte = 1024 * 1024;
const heavy = fileURLToPath(new URL('./fixtures/heavy.cjs', import.meta.url));
const counter = fileURLToPath(new URL('./fixtures/counter.cjs', import.meta.url));
const leaking = fileURLToPath(new URL('../../../capability-broker/fixtures/leaking.cjs', import.meta.url));
const wasm = fileURLToPath(new URL('../../../capability-broker/fixtures/add.wasm', import.meta.url));

it('keeps to the memory budget: what was used longest ago goes, what is in use stays, and then nothing fits', async () => {
  const manifest = { tier: 2, kind: 'in-process', entry: heavy, memoryFootprintBytes: 4 * megabyte } as const;
  const names = ['a', 'b', 'c', 'd'];
  const offered = names.map((name) => probe({ ...manifest, name }));
  broker = await openRunningBroker(offered, { memoryBudgetBytes: 9 * megabyte });
  const loaded = (): string[] => broker.broker.pool.all().map(({ manifest: { name } }) => name);
  const client = await broker.client();
  const first = await client.acquire({ required: ['a'] });
  await (await client.acquire({ required: ['b'] })).release();
  await expect.poll(() => broker.broker.leases.size).toBe(1);
  const third = await client.acquire({ required: ['c'] });
  await expect.poll(loaded).toEqual(['a', 'c']);
  const full = await client.acquire({ required: ['d'] });
  expect(full.errors.get('d')).toMatch(/^RESOURCE_EXHAUSTED: The memory of the broker is at its limit/);
  expect(await first.get('a').size?.()).toBe(4 * megabyte);
  await third.release();
  await expect.poll(async () => (await client.acquire({ required: ['d'] })).success).toBe(true);
});

it('tells of a capability that something still holds after it was unloaded', async () => {
  const log = createMemoryLog();
  broker = await openRunningBroker([probe({ tier: 2, kind: 'in-process', entry: leaking })], {}, { log });
  await (await (await broker.client()).acquire({ required: ['probe'] })).release();
  broker.broker.pool.drain(() => true);
  await expect
    .poll(() => log.records.filter(({ message }) => message === 'A capability is no longer loaded'))
    .toMatchObject([{ level: 'warning', fields: { outcome: 'leaked' } }]);
});

it('500 times loaded and unloaded in one process, four megabytes each: the memory came back every time', async () => {
  const program = fileURLToPath(new URL('./testing/load-cycles.ts', import.meta.url));
  const flags = ['--conditions=switchyard-source', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, heavy, '500']);
  const { outcomes, grownBytes }: CycleReport = JSON.parse(stdout);
  expect(outcomes).toEqual(['unloaded']);
  // Two gigabytes went through; a twentieth of that would be a leak.
  expect(grownBytes).toBeLessThan(100 * megabyte);
}, 60_000);

it('loads and unloads threads and WebAssembly many times; each ends with its memory', async () => {
  const pool = { ...defaultBrokerOptions.pool };
  broker = await openRunningBroker(
    [
      probe({ name: 'thread', tier: 2, kind: 'thread', entry: heavy }),
      probe({ name: 'wasm', tier: 2, kind: 'wasm', entry: wasm }),
    ],
    { limits: { pool } },
  );
  const client = await broker.client();
  for (let cycle = 0; cycle < 20; cycle += 1) {
    const caps = await client.acquire({ required: ['thread', 'wasm'] });
    expect(await caps.get('thread').size?.()).toBe(4 * megabyte);
    expect(await caps.get('wasm').add?.(2, cycle)).toBe(cycle + 2);
    await caps.release();
    broker.broker.pool.drain(() => true);
    await expect.poll(() => broker.broker.pool.all().length).toBe(0);
  }
});

it('a shard keeps its own state over the death of its host, and another shard has another', async () => {
  broker = await openRunningBroker([probe({ name: 'counter', entry: counter, shards: 2 })]);
  const count = async (account: string): Promise<{ readonly shard: string; readonly value: number }> => {
    const caps = await (await broker.client(account)).acquire({ required: ['counter'] });
    const counted = (await caps.get('counter').count?.()) as { readonly shard: string; readonly value: number };
    await caps.release();
    return counted;
  };
  const first = await count('tenant-0');
  let other = 'tenant-0';
  for (let index = 1; (await count(other)).shard === first.shard; index += 1) other = `tenant-${index}`;
  expect((await count('tenant-0')).value).toBeGreaterThan(1);
  const before = (await count('tenant-0')).value;
  broker.broker.pool.drain(({ shard }) => shard === first.shard);
  await expect.poll(() => broker.broker.pool.all().some(({ shard }) => shard === first.shard)).toBe(false);
  expect(await count('tenant-0')).toEqual({ shard: first.shard, value: before + 1 });
});

it('a roll-out gives a new version to its share of the accounts, beside the old one, and never takes it back', async () => {
  const versions = ['1.0.0', '2.0.0'].map((version) => probe({ version, tier: 2, kind: 'in-process' }));
  broker = await openRunningBroker(versions);
  const admin = await connectAdministrator(broker.directory);
  await admin.rollout('probe', '2.0.0', 0);
  const clients = await Promise.all(Array.from({ length: 40 }, (_, index) => broker.client(`tenant-${index}`)));
  const seen: number[] = [];
  let before = new Set<number>();
  for (const weight of [0, 10, 50, 100]) {
    await admin.rollout('probe', '2.0.0', weight);
    const caps = await Promise.all(clients.map((client) => client.acquire({ required: ['probe'] })));
    const got = new Set(caps.flatMap((each, index) => (each.handles.get('probe')?.version === '2.0.0' ? [index] : [])));
    expect([...before].filter((index) => !got.has(index))).toEqual([]);
    seen.push(got.size);
    before = got;
    const [, ...rest] = caps;
    await Promise.all(rest.map((each) => each.release()));
  }
  expect([seen[0], seen[3]]).toEqual([0, 40]);
  expect(seen[1]).toBeGreaterThan(0);
  expect(seen[2]).toBeGreaterThan(seen[1] ?? 0);
  expect(
    broker.broker.pool
      .all()
      .map(({ manifest: { version } }) => version)
      .sort(),
  ).toEqual(['1.0.0', '2.0.0']);
  expect(await admin.drain('probe', '1.0.0')).toBe(1);
  admin.close();
});
