/** Two control planes of two hosts on one PostgreSQL, in real time. */
import { type Clock, Secret, silentLog, silentMeter, sleep, systemClock, systemRandom } from '@switchyard/kernel';
import { manifestSchema, workerNames } from '@switchyard/protocol/control-api';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../bus/contract.ts';
import { openSqliteBus } from '../bus/sqlite/sqlite-bus.ts';
import type { Store } from '../store/contract.ts';
import { openStore } from '../store/open-store.ts';
import { createComputeTargets } from '../targets/compute-targets.ts';
import { createPostgresqlUsers } from '../targets/postgresql/postgresql-users.ts';
import { createStoreVault } from '../targets/store-vault.ts';
import { MemoryTarget } from '../testing/memory-target.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { readAppliedState } from './drift/desired-state.ts';
import type { ProbeVerdict } from './health/probe-runner.ts';
import { generatedTarget } from './secrets/rotation-target.ts';

const by = { subject: 'ann' };
const limitMs = 30_000;

/** Waits for what will be so; fails when it is not so in time. */
async function until(clock: Clock, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = clock.now() + limitMs;
  while (!(await isSo())) {
    if (clock.now() > endMs) throw new Error(`not in time: ${what}`);
    await sleep(clock, 50);
  }
}

/** Starts control planes that share a bus and a target, each with a store of its own. */
function starterOf(server: TestPostgresql, bus: Bus, target: MemoryTarget) {
  const passed = async (): Promise<ProbeVerdict> => ({ outcome: 'passed', message: '' });
  const administrator = new Secret(server.address());
  const users = createPostgresqlUsers({
    connections: new Map([['main', { administrator, address: server.address().replace('owner@', '') }]]),
  });
  return (store: Store, holder: string): Promise<ControlPlane> =>
    startControlPlane(
      {
        ...{ clock: systemClock, random: systemRandom, log: silentLog, meter: silentMeter, store, bus },
        ...{ spans: { record: () => {} }, alertSinks: [] },
        ports: {
          targets: createComputeTargets([target]),
          vault: createStoreVault({ store, random: systemRandom }, new Uint8Array(32).fill(3)),
          probes: { http: passed, tcp: passed, exec: passed, grpc: passed, target: passed },
          telemetry: { read: async () => undefined },
          readDesired: readAppliedState,
          rotationTargets: { generated: generatedTarget, 'postgresql-user': users },
        },
      },
      { holder, workers: workerNames },
    );
}

describe.skipIf(postgresqlPart.skip)('two control planes on one PostgreSQL', () => {
  let server: TestPostgresql;
  beforeAll(async () => {
    server = await openPostgresql();
  }, 60_000);
  afterAll(() => server?.close());

  it('never act twice, and rotate a real PostgreSQL user', { timeout: 60_000 }, async () => {
    const target = new MemoryTarget();
    const opened: Store[] = [];
    const openOne = (): Promise<Store> =>
      openStore({ clock: systemClock }, { kind: 'postgresql', connectionString: new Secret(server.address()) });
    const first = await openOne();
    opened.push(first);
    const bus = openSqliteBus(
      { clock: systemClock, random: systemRandom, inbox: first.inbox },
      { file: ':memory:', pollMs: 50 },
    );
    const start = starterOf(server, bus, target);
    const second = await openOne();
    opened.push(second);
    const planes = [await start(first, 'one'), await start(second, 'two')];
    try {
      const manifest = manifestSchema.parse({
        ...{ apiVersion: 'switchyard.dev/v1', tenant: 'acme' },
        services: ['a', 'b', 'c'].map((id) => ({ id, target: 'memory', version: 'v1', gateMs: 0, secrets: ['db'] })),
        secrets: [
          { id: 'db', setting: 'DB', kind: 'postgresql-user', connection: 'main', credentials: ['shop_a', 'shop_b'] },
        ],
      });
      const [plane] = planes;
      if (plane === undefined) throw new Error('no plane');
      await plane.commands.apply(manifest, by);
      await until(systemClock, 'three deployments', async () => {
        const deployments = await plane.state.list('deployment');
        return deployments.length === 3 && deployments.every(({ state }) => state === 'completed');
      });
      for (const id of ['a', 'b', 'c']) {
        const own = target.changes.filter((change) => change.startsWith(`${id}:`));
        expect(own.filter((change) => change.includes('provision'))).toEqual([`${id}: provision v1`]);
        expect(own.filter((change) => change.includes('traffic'))).toEqual([`${id}: traffic v1=100`]);
      }
      await until(systemClock, 'a first credential', async () => {
        const rotation = await plane.state.get('secretRotation', 'db');
        return rotation?.state === 'idle' && rotation.version === 1;
      });
      await plane.commands.rotate('db', by);
      await until(systemClock, 'a second credential', async () => {
        return (await plane.state.get('secretRotation', 'db'))?.version === 2;
      });
      const values = [...target.services.values()].map(({ running }) => running.get('DB'));
      expect(new Set(values).size).toBe(1);
      expect(values[0]).toContain('user=shop_b');
      const found = await first.documents.list('secretRotation');
      expect(JSON.stringify(found)).not.toContain('password');
      expect(await bus.deadLetters.count()).toBe(0);
    } finally {
      for (const plane of planes) await plane.stop(1_000);
      await bus.close();
      for (const store of opened) await store.close();
    }
  });
});
