import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CapabilityManifest, parseManifest } from './capability-manifest.ts';
import { CapabilityRegistry } from './capability-registry.ts';

function manifest(
  name: string,
  version: string,
  requires: readonly string[] = [],
  tier: 2 | 3 = 2,
): CapabilityManifest {
  const kind = tier === 2 ? 'thread' : 'process';
  return parseManifest({
    name,
    version,
    tier,
    kind,
    entry: 'x.mjs',
    requires: requires.map((on) => ({ name: on, range: '*' })),
  });
}

test('I1: a cycle is refused and named, also one over several versions', () => {
  const registry = new CapabilityRegistry();
  registry.register(manifest('a', '1.0.0', ['b']));
  registry.register(manifest('b', '1.0.0', ['c']));
  expect(() => registry.register(manifest('c', '2.0.0', ['a']))).toThrow('c -> a -> b -> c');
  expect(() => registry.register(manifest('self', '1.0.0', ['self']))).toThrow('self -> self');
});

test('I1, I2: whatever is registered, no path leads back, and a refusal changes nothing', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.record({
    name,
    version: fc.constantFrom('1.0.0', '2.0.0'),
    requires: fc.uniqueArray(name, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const registry = new CapabilityRegistry();
      for (const { name: added, version, requires } of steps) {
        const before = registry.all();
        try {
          registry.register(manifest(added, version, requires));
        } catch {
          expect(registry.all()).toEqual(before);
        }
        for (const entry of registry.all())
          expect(reachable(registry, entry.manifest.name)).not.toContain(entry.manifest.name);
      }
    }),
  );
});

test('I3: the same version in the same tier replaces, in another tier it stands beside', () => {
  const registry = new CapabilityRegistry();
  registry.register(manifest('a', '1.0.0'), 10);
  registry.register(manifest('a', '1.0.0'), 20);
  registry.register(manifest('a', '1.0.0', [], 3));
  registry.register(manifest('a', '1.10.0'));
  registry.register(manifest('a', '1.9.0'));
  expect(registry.versionsOf('a').map((entry) => [entry.manifest.version, entry.manifest.tier, entry.weight])).toEqual([
    ['1.10.0', 2, 100],
    ['1.9.0', 2, 100],
    ['1.0.0', 2, 20],
    ['1.0.0', 3, 100],
  ]);
  expect(registry.setWeight('a', '1.0.0', 5)).toBe(true);
  expect(registry.setWeight('a', '3.0.0', 5)).toBe(false);
  expect(registry.unregister('a', '1.0.0')).toHaveLength(2);
  expect(registry.unregister('a')).toHaveLength(2);
  expect(registry.all()).toEqual([]);
});

function reachable(registry: CapabilityRegistry, from: string): Set<string> {
  const found = new Set<string>();
  const queue = [from];
  for (let name = queue.pop(); name !== undefined; name = queue.pop())
    for (const entry of registry.versionsOf(name))
      for (const { name: next } of entry.manifest.requires) {
        if (found.has(next)) continue;
        found.add(next);
        queue.push(next);
      }
  return found;
}
