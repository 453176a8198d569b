/** Two controllers on one store, on every store that there is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, silentMeter, systemClock } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scaleOut } from '../fleet/scale-out.ts';
import { openScaleController, type ScaleController } from '../scale-controller.ts';
import { FakeFleet } from '../testing/fake-fleet.ts';
import { nodeStack } from '../testing/fake-provider.ts';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import type { ScaleStore } from './contract.ts';
import { openPostgresqlScaleStore } from './postgresql/pg-scale-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

interface Opened {
  readonly clock: VirtualClock;
  readonly runtime: SimulatedRuntime;
}

function suite(open: () => Promise<ScaleStore>): void {
  const stores: ScaleStore[] = [];
  const controllers: ScaleController[] = [];
  afterEach(async () => {
    for (const controller of controllers.splice(0)) await controller.close();
    for (const store of stores.splice(0)) await store.close();
  });
  const connect = async (): Promise<ScaleStore> => {
    const store = await open();
    stores.push(store);
    return store;
  };

  const start = async ({ clock, runtime }: Opened, seed: number): Promise<ScaleController> => {
    const base = { clock, runtime, log: createMemoryLog(clock), meter: silentMeter, durationClassesMs: [10] };
    const traffic = { get: () => ({ revision: 1, weights: [] }), set: async () => ({ revision: 1, weights: [] }) };
    const store = await connect();
    const controller = await openScaleController({ ...base, store, traffic, random: createSeededRandom(seed) });
    controllers.push(controller);
    return controller;
  };

  it('one decides, what either is told holds for both, and the other goes on when the first has gone', async () => {
    const clock = new VirtualClock();
    const runtime = new SimulatedRuntime(clock);
    const shop = runtime.add('shop');
    const later = (read: () => unknown) =>
      expect.poll(async () => {
        await clock.advance(1_000);
        return read();
      });
    const [first, second] = [await start({ clock, runtime }, 1), await start({ clock, runtime }, 2)];
    await second.put('shop', { maximum: 6 }, 0);
    await second.putQuota('contoso', { workers: 4 }, 0);
    await later(async () => (await first.view('shop')).scale).toEqual({ maximum: 6 });
    await later(async () => (await first.quota('contoso')).quota).toEqual({ workers: 4 });
    shop.active = 300;
    await later(() => shop.wanted).toBe(4);
    const told = runtime.wishes.length;
    // The one that decides is the one that has noted changes.
    const changes = [await first.view('shop'), await second.view('shop')].map((view) => view.changes.length > 0);
    expect(changes.filter((hasDecided) => hasDecided)).toHaveLength(1);
    const [leader, heir] = changes[0] === true ? [first, second] : [second, first];
    await leader.close();
    await later(() => runtime.wishes.length).toBeGreaterThan(told);
    // It has changed nothing of what it found.
    expect(shop.wanted).toBe(4);
    await heir.putQuota('contoso', {}, undefined);
    await later(() => shop.wanted).toBe(6);
  });

  it('the one that decides says where apps are, and so it is after a restart, and for the one that takes over', async () => {
    const clock = new VirtualClock();
    const opened = { clock, runtime: new SimulatedRuntime(clock) };
    const [first, second] = [await start(opened, 1), await start(opened, 2)];
    const store = await connect();
    const stored = async (key: string) => (await store.read('home', key))?.body;
    const later = (read: () => Promise<unknown>) =>
      expect.poll(async () => {
        await clock.advance(1_000);
        return await read();
      });
    // Each has Runtimes of its own, and one of the two decides.
    first.homes.note('shop', ['one-1']);
    second.homes.note('shop', ['two-1']);
    await later(() => stored('shop')).toBeDefined();
    const [leader, heir, mine, theirs] =
      ((await stored('shop')) as { runtimeIds: string[] }).runtimeIds[0] === 'one-1'
        ? ([first, second, 'one-1', 'two-1'] as const)
        : ([second, first, 'two-1', 'one-1'] as const);
    leader.homes.note('blog', [mine, 'spare']);
    await later(() => stored('blog')).toEqual({ runtimeIds: [mine, 'spare'] });
    await leader.close();
    const restarted = await start(opened, 3);
    expect([restarted.homes.of('shop'), restarted.homes.of('blog')]).toEqual([[mine], [mine, 'spare']]);
    await restarted.close();
    // The heir finds what was written since it looked, and says anew where the app is.
    await later(async () => heir.homes.of('shop')).toEqual([mine]);
    heir.homes.note('shop', [theirs]);
    await later(() => stored('shop')).toEqual({ runtimeIds: [theirs] });
    await heir.forget('blog');
    expect(await stored('blog')).toBeUndefined();
  });

  it('of two that want the same placeholders each is taken once, and no claim is left', async () => {
    const fleet = new FakeFleet(systemClock);
    for (const runtimeId of ['a', 'b']) fleet.add(runtimeId, 5);
    const place = { tenantId: 'contoso', stack: nodeStack, region: undefined } as const;
    const results = await Promise.all(
      ['one', 'two'].map(async (holder) => {
        const application = { applicationId: `app-${holder}`, metadataVersion: 'm1', codeVersion: 'c1' };
        const deps = { clock: systemClock, log: silentLog, store: await connect(), fleet, holder };
        const request = { ...place, application, isolation: 'shared', affinity: 'none', homes: [], count: 4 } as const;
        return await scaleOut(deps, request);
      }),
    );
    const taken = results.flatMap(({ workerIds }) => workerIds);
    expect([new Set(taken).size, fleet.assignedTwice]).toEqual([taken.length, []]);
    expect(taken.length).toBeGreaterThanOrEqual(4);
    expect(await stores[0]?.list('claim')).toEqual([]);
  });

  it('whoever takes a claim over has the greater token, and the one before changes nothing any more', async () => {
    const [one, two] = [await connect(), await connect()];
    const old = await one.write('claim', 'w1', { holder: 'one' }, 0);
    if (old.kind !== 'written') throw new Error(old.kind);
    const next = await two.write('claim', 'w1', { holder: 'two' }, old.revision);
    if (next.kind !== 'written') throw new Error(next.kind);
    expect(next.revision).toBeGreaterThan(old.revision);
    expect(await one.remove('claim', 'w1', old.revision)).toBe(false);
    expect(await one.write('claim', 'w1', { holder: 'one' }, old.revision)).toMatchObject({
      kind: 'conflict',
      present: { revision: next.revision, body: { holder: 'two' } },
    });
  });
}

describe('two controllers on a file of SQLite', () => {
  let folder: string;
  let files = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-scale-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => {
    files += 1;
  });
  suite(async () => openSqliteStore(join(folder, `${files}.sqlite`)));
});

describe.skipIf(postgresqlPart.skip)('two controllers on a PostgreSQL', () => {
  let server: TestPostgresql;
  let schemas = 0;
  beforeAll(async () => {
    server = await openPostgresql();
  });
  afterAll(() => server.close());
  afterEach(() => {
    schemas += 1;
  });
  suite(() => openPostgresqlScaleStore({ connectionString: server.address(), schema: `run_${schemas}` }));
});
