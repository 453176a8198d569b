import fc from 'fast-check';
import semver from 'semver';
import { expect, test } from 'vitest';
import { parseManifest } from './capability-manifest.ts';
import { CapabilityRegistry } from './capability-registry.ts';
import { type ResolveRequest, resolveCapabilities } from './resolve-capabilities.ts';

/** `a@1.0.0` with requirements such as `b@^1`. */
function registryOf(...entries: readonly (readonly [string, ...string[]])[]): CapabilityRegistry {
  const registry = new CapabilityRegistry();
  for (const [key, ...edges] of entries) {
    const [name = '', version = ''] = key.split('@');
    const requires = edges.map((edge) => {
      const [on = '', range = ''] = edge.split('@');
      return { name: on, range };
    });
    registry.register(parseManifest({ name, version, tier: 2, kind: 'thread', entry: 'x.mjs', requires }));
  }
  return registry;
}

function request(change: Partial<ResolveRequest> = {}): ResolveRequest {
  return {
    required: [],
    optional: [],
    rangeOf: () => '*',
    preferLocal: true,
    bucketOf: () => 0,
    mayHave: () => true,
    ...change,
  };
}

function loaded(registry: CapabilityRegistry, wanted: Partial<ResolveRequest>): string[] | Record<string, string> {
  const result = resolveCapabilities(registry, request(wanted));
  if (result.kind === 'plan') return result.load.map(({ name, version }) => `${name}@${version}`);
  return Object.fromEntries([...result.failures].map(([name, failure]) => [name, failure.code]));
}

test('10 is newer than 8, and a pre-release satisfies no plain range', () => {
  const registry = registryOf(['a@8.0.0'], ['a@10.0.0'], ['a@11.0.0-rc.1']);
  expect(loaded(registry, { required: ['a'], rangeOf: () => '>=8.0' })).toEqual(['a@10.0.0']);
});

test('a diamond gets one version that both sides accept, below them', () => {
  const registry = registryOf(
    ['top@1.0.0', 'left@*', 'right@*'],
    ['left@1.0.0', 'base@^1'],
    ['right@1.0.0', 'base@<1.5'],
    ['base@1.4.0'],
    ['base@1.9.0'],
    ['base@2.0.0'],
  );
  expect(loaded(registry, { required: ['top'] })).toEqual(['base@1.4.0', 'left@1.0.0', 'right@1.0.0', 'top@1.0.0']);
});

test('edges that exclude each other are a mismatch that names both', () => {
  const registry = registryOf(['a@1.0.0', 'base@^1'], ['b@1.0.0', 'base@^2'], ['base@1.0.0'], ['base@2.0.0']);
  const result = resolveCapabilities(registry, request({ required: ['a', 'b'] }));
  expect(result.kind).toBe('refused');
  const messages = result.kind === 'refused' ? [...result.failures.values()].map((failure) => failure.message) : [];
  expect(messages.join()).toContain("'^1' (a) and '^2' (b)");
});

test('required is all or nothing, optional is best effort', () => {
  const registry = registryOf(['a@1.0.0'], ['b@1.0.0', 'gone@*']);
  expect(loaded(registry, { required: ['a', 'nothing'] })).toEqual({ nothing: 'CAPABILITY_NOT_FOUND' });
  expect(loaded(registry, { required: ['b'] })).toEqual({ b: 'DEPENDENCY_MISSING' });
  const result = resolveCapabilities(registry, request({ required: ['a'], optional: ['b', 'nothing'] }));
  expect(result).toMatchObject({ kind: 'plan', granted: ['a'] });
  expect(result.kind === 'plan' && [...result.missing.keys()]).toEqual(['b', 'nothing']);
});

test('an account outside the share of a new version gets the old one, and a version at 0 nobody', () => {
  const registry = registryOf(['a@1.0.0'], ['a@2.0.0']);
  registry.setWeight('a', '2.0.0', 10);
  expect(loaded(registry, { required: ['a'], bucketOf: () => 9 })).toEqual(['a@2.0.0']);
  expect(loaded(registry, { required: ['a'], bucketOf: () => 10 })).toEqual(['a@1.0.0']);
  registry.setWeight('a', '2.0.0', 0);
  expect(loaded(registry, { required: ['a'] })).toEqual(['a@1.0.0']);
});

test('where tiers 2 and 3 have the same version, the preference decides', () => {
  const registry = registryOf(['a@1.0.0']);
  registry.register(parseManifest({ name: 'a', version: '1.0.0', tier: 3, kind: 'process', entry: 'x.mjs' }));
  const tierOf = (preferLocal: boolean): number | undefined => {
    const result = resolveCapabilities(registry, request({ required: ['a'], preferLocal }));
    return result.kind === 'plan' ? result.load[0]?.tier : undefined;
  };
  expect([tierOf(true), tierOf(false)]).toEqual([2, 3]);
});

test('what an account may not have does not exist for it', () => {
  const registry = registryOf(['a@1.0.0']);
  expect(loaded(registry, { required: ['a'], mayHave: () => false })).toEqual({ a: 'CAPABILITY_NOT_FOUND' });
});

test('every plan keeps every range, loads dependencies first, and one version of each name', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const versions = ['1.0.0', '1.2.0', '2.0.0', '10.0.0'];
  const range = fc.constantFrom('*', '^1', '>=1.2', '<2', '^2', '>=2');
  const edge = fc.record({ to: fc.nat({ max: 4 }), range });
  const entry = fc.record({
    name: fc.nat({ max: 4 }),
    version: fc.constantFrom(...versions),
    edges: fc.array(edge, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 14 }),
      fc.uniqueArray(fc.constantFrom(...names)),
      range,
      (entries, required, wanted) => {
        // Edges only lead to later names, so that no registration is refused.
        const registry = registryOf(
          ...entries.map(({ name, version, edges }): [string, ...string[]] => [
            `${names[name]}@${version}`,
            ...edges.filter(({ to }) => to > name).map(({ to, range: on }) => `${names[to]}@${on}`),
          ]),
        );
        const result = resolveCapabilities(registry, request({ required, rangeOf: () => wanted }));
        if (result.kind === 'refused') {
          expect(result.failures.size).toBeGreaterThan(0);
          return;
        }
        const seen = new Map<string, string>();
        for (const { name, version, requires } of result.load) {
          expect(seen.has(name)).toBe(false);
          for (const { name: on, range: needs } of requires)
            expect(semver.satisfies(seen.get(on) ?? 'none', needs)).toBe(true);
          if (required.includes(name)) expect(semver.satisfies(version, wanted)).toBe(true);
          seen.set(name, version);
        }
        expect(required.every((name) => seen.has(name))).toBe(true);
      },
    ),
  );
});
