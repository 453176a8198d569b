/**
 * A pass of the inventory and of the drift detection over 10,000 services of which none has changed, next to reading and
 * parsing the same records with SQLite alone, in the same run. A pass must write nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type ComputeTarget,
  type ControlPlane,
  createComputeTargets,
  createDesiredStateReader,
  createStoreVault,
  generatedTarget,
  openSqliteBus,
  openSqliteStore,
  type ProbeVerdict,
  type Store,
  startControlPlane,
} from '@switchyard/control-plane';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { manifestSchema } from '@switchyard/protocol/control-api';
import type { BenchRow } from './bench-row.ts';
import { median } from './statistics.ts';

const serviceCount = 10_000;
const perEnvironment = 1_000;
const rounds = 5;

/** Runs the benchmark; takes about 20 seconds. */
export async function benchControlPlane(): Promise<{
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-control-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(folder: string): Promise<{ readonly rows: readonly BenchRow[]; readonly notes: readonly string[] }> {
  const file = join(folder, 'control.sqlite');
  const store = openSqliteStore({ clock: systemClock }, { file });
  const bus = openSqliteBus(
    { clock: systemClock, random: systemRandom, inbox: store.inbox },
    { file: join(folder, 'bus.sqlite') },
  );
  let writes = 0;
  const counting: Store = Object.create(store, {
    commit: {
      value: (commit: Parameters<Store['commit']>[0]) => {
        writes += 1;
        return store.commit(commit);
      },
    },
  });
  const plane = await open(counting, bus);
  try {
    for (let environment = 0; environment < serviceCount / perEnvironment; environment += 1)
      await apply(plane, environment);
    await untilCalm(plane, () => writes);
    const before = writes;
    const ours: number[] = [];
    const reference: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push((await timed(() => plane.tick('inventory'))) + (await timed(() => plane.tick('drift'))));
      reference.push(await timed(async () => readRaw(file)));
    }
    if (writes !== before) throw new Error(`${writes - before} writes in passes over unchanged services`);
    const [mine, raw] = [median(ours), median(reference)];
    return {
      rows: [
        {
          ...{ name: 'inventory and drift over 10,000 unchanged services', ours: mine, reference: raw, unit: 'ms' },
          ...{ against: 'reading and parsing the records', ratio: mine / raw, target: '< 1,000 ms, no write' },
        },
      ],
      notes: [
        'A pass sweeps the target, compares it with the inventory, and the inventory with what is desired; it wrote nothing.',
      ],
    };
  } finally {
    await plane.stop(1_000);
    await bus.close();
    await store.close();
  }
}

function open(store: Store, bus: ReturnType<typeof openSqliteBus>): Promise<ControlPlane> {
  const passed = async (): Promise<ProbeVerdict> => ({ outcome: 'passed', message: '' });
  const none = (): Promise<never> => Promise.reject(new Error('not here'));
  return startControlPlane(
    {
      ...{ clock: systemClock, random: systemRandom, log: silentLog, meter: silentMeter, store, bus },
      ...{ spans: { record: () => {} }, alertSinks: [] },
      ports: {
        targets: createComputeTargets([createTarget()]),
        vault: createStoreVault({ store, random: systemRandom }, new Uint8Array(32)),
        probes: { http: passed, tcp: passed, exec: passed, grpc: passed, target: passed },
        telemetry: { read: async () => undefined },
        readDesired: createDesiredStateReader({ readGitFile: none, readFile: none }),
        rotationTargets: { generated: generatedTarget, 'postgresql-user': generatedTarget },
      },
    },
    { holder: 'bench', workers: ['inventory', 'drift'] },
  );
}

function nameOf(at: number): string {
  return `service-${String(at).padStart(5, '0')}`;
}

function environmentOf(at: number): number {
  return Math.floor(at / perEnvironment);
}

/** Everything is at it ought to be, from the first sweep on. */
function createTarget(): ComputeTarget {
  const items = Array.from({ length: serviceCount }, (_, at) => ({
    ...{ serviceId: nameOf(at), tenantId: `tenant-${environmentOf(at)}`, componentType: 'function-app', version: 'v1' },
    ...{ weights: [{ version: 'v1', weight: 100 }], replicas: 1, limits: { minReplicas: 1, maxReplicas: 10 } },
    status: 'running' as const,
  }));
  const pageSize = 500;
  const nothing = async (): Promise<void> => {};
  return {
    name: 'bench',
    async list(after) {
      const from = after === undefined ? 0 : Number(after);
      const next = from + pageSize;
      return { items: items.slice(from, next), ...(next < serviceCount ? { next: String(next) } : {}) };
    },
    get: async (serviceId) => items.find((item) => item.serviceId === serviceId),
    provision: async () => ({ kind: 'ready' }),
    ...{ setTraffic: nothing, retire: nothing, setLimits: nothing, restart: nothing },
    healthOf: async () => 'healthy',
    applySettings: async () => 'reloaded',
    readSettings: async () => new Map(),
  };
}

async function apply({ commands }: ControlPlane, environment: number): Promise<void> {
  const perManifest = 200;
  for (let from = environment * perEnvironment; from < (environment + 1) * perEnvironment; from += perManifest) {
    const services = Array.from({ length: perManifest }, (_, at) => ({
      ...{ id: nameOf(from + at), target: 'bench', version: 'v1', limits: { minReplicas: 1, maxReplicas: 10 } },
    }));
    const manifest = { apiVersion: 'switchyard.dev/v1', tenant: `tenant-${environment}`, services };
    const parsed = manifestSchema.parse(manifest);
    for (const spec of parsed.services) {
      const environmentId = `tenant-${environment}.default`;
      if (from === environment * perEnvironment && spec === parsed.services[0]) {
        await commands.apply({ ...parsed, services: [] }, { subject: 'bench' });
      }
      const { id, target, version, limits, strategy, gateMs } = spec;
      // No deployment: the target has it already.
      await commands.ensureService(
        {
          ...{
            serviceId: id,
            tenantId: `tenant-${environment}`,
            environmentId,
            computeTarget: target,
            version,
            limits,
          },
          ...{ strategy, gateMs, secretBindings: [], probes: [], dependencies: [], origin: 'manifest' },
        },
        { subject: 'bench' },
      );
    }
  }
}

/** Ticks until a whole pass writes nothing. */
async function untilCalm(plane: ControlPlane, writesOf: () => number): Promise<void> {
  for (let pass = 0; pass < 10; pass += 1) {
    const before = writesOf();
    await plane.tick('inventory');
    await plane.tick('drift');
    if (writesOf() === before) return;
  }
  throw new Error('the control plane does not come to rest');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The records of one pass, each read and parsed once. */
function readRaw(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  let parsed = 0;
  const [table] = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'doc%'").all();
  for (const row of database.prepare(`SELECT * FROM ${String(table?.name)}`).iterate()) {
    const text = Object.values(row).find((value) => typeof value === 'string' && value.startsWith('{'));
    if (typeof text === 'string') {
      JSON.parse(text);
      parsed += 1;
    }
  }
  database.close();
  if (parsed < serviceCount) throw new Error(`only ${parsed} records`);
  return parsed;
}
