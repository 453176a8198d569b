/** Random sequences of writes, on the catalog and on a plain model of it; now and then it is closed and opened again. */
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CatalogRun, createCatalogRun, nodeStack, packageHash } from '../testing/catalog-run.ts';

interface ModelApp {
  readonly tenantId: string;
  hostNames: readonly string[];
  revision: number;
  settings: Map<string, string>;
  settingsRevision: number;
  versions: Map<string, 'pending' | 'indexed' | 'failed'>;
  weights: readonly { codeVersion: string; weight: number }[];
  trafficRevision: number;
}

type Model = Map<string, ModelApp>;

const app = fc.constantFrom('shop', 'mail', 'bad_name');
const hosts = fc.array(fc.constantFrom('a.test', 'b.test', 'c.test', 'x.localhost'), { maxLength: 2 });
const version = fc.constantFrom('a', 'b', 'c').map((digit) => digit.repeat(16));
const revision = fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 2 });
const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [Name in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [Name in Key]?: Value };

const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put'), app, tenant: fc.constantFrom('one', 'two'), hosts, revision }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), app }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settings'),
      app,
      set: fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('1', '2')), { maxLength: 3 }),
      remove: fc.subarray(['D', 'E']),
      revision,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deploy'), app, version }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('index'), app, version, fails: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('traffic'),
      app,
      left: version,
      right: version,
      share: fc.nat({ max: 101 }),
      revision,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
) as fc.Arbitrary<Operation>;

type Operation =
  | { kind: 'put'; app: string; tenant: string; hosts: string[]; revision: number | undefined }
  | { kind: 'remove'; app: string }
  | { kind: 'settings'; app: string; set: [string, string][]; remove: string[]; revision: number | undefined }
  | { kind: 'deploy'; app: string; version: string }
  | { kind: 'index'; app: string; version: string; fails: boolean }
  | { kind: 'traffic'; app: string; left: string; right: string; share: number; revision: number | undefined }
  | { kind: 'reopen' };

/** Answers whether the catalog should have accepted the write. */
function play(model: Model, step: Operation): boolean {
  if (step.kind === 'reopen') return true;
  const found = model.get(step.app);
  switch (step.kind) {
    case 'put':
      return playPut(model, step, found);
    case 'remove':
      return model.delete(step.app);
    case 'settings': {
      if (found === undefined || isStale(step.revision, found.settingsRevision)) return false;
      const after = new Map([...found.settings, ...step.set]);
      for (const name of step.remove) after.delete(name);
      if (textOf(after) !== textOf(found.settings)) found.settingsRevision += 1;
      found.settings = after;
      return true;
    }
    case 'deploy': {
      if (found === undefined) return false;
      if (found.versions.get(step.version) !== 'indexed') found.versions.set(step.version, 'pending');
      return true;
    }
    case 'index': {
      const state = found?.versions.get(step.version);
      if (found === undefined || state === undefined || (step.fails && state !== 'pending')) return false;
      found.versions.set(step.version, step.fails ? 'failed' : 'indexed');
      return true;
    }
    case 'traffic':
      return playTraffic(step, found);
  }
}

function playPut(model: Model, step: Extract<Operation, { kind: 'put' }>, found: ModelApp | undefined): boolean {
  const names = [...new Set(step.hosts)];
  const isTaken = [...model].some(
    ([id, other]) => id !== step.app && names.some((name) => other.hostNames.includes(name)),
  );
  if (isStale(step.revision, found?.revision ?? 0) || step.app === 'bad_name') return false;
  if (found !== undefined && found.tenantId !== step.tenant) return false;
  const isSame = found !== undefined && names.join() === found.hostNames.join();
  if (isSame) return true;
  if (isTaken || names.includes('x.localhost')) return false;
  if (found !== undefined) Object.assign(found, { hostNames: names, revision: found.revision + 1 });
  else {
    const counts = { revision: 1, settingsRevision: 0, trafficRevision: 0 };
    const parts = { settings: new Map(), versions: new Map(), weights: [] };
    model.set(step.app, { tenantId: step.tenant, hostNames: names, ...counts, ...parts });
  }
  return true;
}

function playTraffic(step: Extract<Operation, { kind: 'traffic' }>, found: ModelApp | undefined): boolean {
  if (found === undefined || isStale(step.revision, found.trafficRevision)) return false;
  const weights = weightsOf(step);
  if (weights.length === 2 && step.left === step.right) return false;
  if (step.share > 100 || weights.some(({ codeVersion }) => found.versions.get(codeVersion) !== 'indexed'))
    return false;
  const text = (all: ModelApp['weights']): string =>
    all
      .map(({ codeVersion, weight }) => `${codeVersion}${weight}`)
      .sort()
      .join();
  if (text(weights) !== text(found.weights)) found.trafficRevision += 1;
  if (text(weights) !== text(found.weights)) found.weights = weights;
  return true;
}

function weightsOf({ left, right, share }: Extract<Operation, { kind: 'traffic' }>): ModelApp['weights'] {
  if (share === 100) return [{ codeVersion: left, weight: 100 }];
  return [
    { codeVersion: left, weight: share },
    { codeVersion: right, weight: 100 - share },
  ];
}

const isStale = (seen: number | undefined, present: number): boolean => seen !== undefined && seen !== present;
const textOf = (map: ReadonlyMap<string, string>): string => JSON.stringify([...map].sort());

/** Does the same to the catalog, and answers whether it accepted. */
function apply(run: CatalogRun, step: Operation): boolean {
  const { catalog } = run;
  switch (step.kind) {
    case 'put': {
      const change = { applicationId: step.app, tenantId: step.tenant, hostNames: step.hosts, stack: nodeStack };
      return catalog.applications.put({ ...change, ...optional('revision', step.revision) }).kind === 'written';
    }
    case 'remove':
      return catalog.applications.remove(step.app);
    case 'settings': {
      const change = { set: new Map(step.set), remove: step.remove, ...optional('revision', step.revision) };
      return catalog.settings.patch(step.app, change).kind === 'written';
    }
    case 'deploy': {
      const sha256 = packageHash(step.version[0] ?? '');
      const request = { applicationId: step.app, sha256, message: '', promote: true, createdBy: 'test' };
      return catalog.deployments.create(request).kind === 'written';
    }
    case 'index': {
      if (step.fails) return catalog.versions.markFailed(step.app, step.version, 'no');
      const indexed = { index: new Uint8Array(), hostJson: '{}', metadataVersion: 'm', settingsRevision: 0 };
      return catalog.versions.markIndexed(step.app, step.version, indexed);
    }
    case 'traffic': {
      const change = { weights: weightsOf(step), reason: 'traffic', ...optional('revision', step.revision) } as const;
      return catalog.traffic.set(step.app, change).kind === 'written';
    }
    case 'reopen':
      run.reopen();
      return true;
  }
}

function observe({ catalog }: CatalogRun): unknown {
  return catalog.applications.list().map(({ applicationId, tenantId, hostNames, revision: appRevision }) => {
    const settings = catalog.settings.get(applicationId);
    const traffic = catalog.traffic.get(applicationId);
    return [
      applicationId,
      { tenantId, hostNames, revision: appRevision },
      [...settings.values].map(([name, value]) => [name, value.reveal()]),
      settings.revision,
      catalog.versions
        .list(applicationId)
        .map(({ codeVersion, status }) => [codeVersion, status.kind])
        .sort(),
      [traffic.weights, traffic.revision],
    ];
  });
}

function observeModel(model: Model): unknown {
  return [...model]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([applicationId, { tenantId, hostNames, revision: appRevision, ...rest }]) => [
      applicationId,
      { tenantId, hostNames, revision: appRevision },
      [...rest.settings].sort(),
      rest.settingsRevision,
      [...rest.versions].sort(),
      [rest.weights, rest.trafficRevision],
    ]);
}

describe('the catalog', () => {
  it('does what a plain model of it does, also over restarts', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (steps) => {
        const run = createCatalogRun({ clock: new VirtualClock(), random: createSeededRandom(1) });
        const model: Model = new Map();
        let changed = 0;
        const watch = () =>
          run.catalog.watch(() => {
            changed += 1;
          });
        watch();
        try {
          for (const step of steps) {
            const before = JSON.stringify(observe(run));
            const calls = changed;
            expect([step, apply(run, step)]).toEqual([step, play(model, step)]);
            expect(observe(run)).toEqual(observeModel(model));
            if (step.kind === 'reopen') watch();
            else if (JSON.stringify(observe(run)) !== before) expect(changed).toBeGreaterThan(calls);
          }
        } finally {
          run.remove();
        }
      }),
      { numRuns: 100 },
    );
  });
});
