import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type CapabilityManifestInput,
  checkDigest,
  isCapabilityName,
  keyOf,
  parseManifest,
} from './capability-manifest.ts';

const thread: CapabilityManifestInput = { name: 'a.b', version: '1.2.3', tier: 2, kind: 'thread', entry: 'a.mjs' };

test('fills in what a manifest leaves out', () => {
  const manifest = parseManifest({ ...thread, limits: { maxExecutionMs: 5 } });
  expect(manifest.limits).toEqual({ maxConcurrentCalls: 64, maxPayloadBytes: 4 * 1024 * 1024, maxExecutionMs: 5 });
  expect(manifest).toMatchObject({ shards: 1, privileged: false, requires: [], digest: null });
  expect(parseManifest({ ...thread, tier: 3, kind: 'process' }).shards).toBe(10);
  expect(keyOf(manifest)).toBe('a.b@1.2.3');
});

test.each([
  [{ name: '__proto__' }, 'is no name'],
  [{ name: 'A.b' }, 'is no name'],
  [{ name: 'a'.repeat(101) }, 'is no name'],
  [{ version: 'v1' }, 'is no version'],
  [{ version: '1.2' }, 'is no version'],
  [{ tier: 4 as 3 }, 'none of 1, 2, 3'],
  [{ kind: 'process' as const }, 'does not exist in tier 2'],
  [{ entry: null }, 'names no entry file'],
  [{ digest: 'abc' }, 'no sha256'],
  [{ requires: [{ name: 'x', range: 'new' }] }, 'is no range'],
  [{ requires: [{ name: 'X', range: '*' }] }, 'is no name'],
  [{ shards: 0 }, 'shards must be'],
  [{ limits: { maxExecutionMs: 0 } }, 'must be more than 0'],
])('refuses %j', (change, reason) => {
  expect(() => parseManifest({ ...thread, ...change })).toThrow(reason);
});

test('names are lower case words joined by dots or dashes', () => {
  expect(['data.sql', 'ml', 'a-b.c2'].every(isCapabilityName)).toBe(true);
  expect(['', 'a..b', 'constructor()', '.a', 5, undefined].some(isCapabilityName)).toBe(false);
});

test('code that is not what the manifest names is refused', () => {
  const content = Buffer.from('code');
  const digest = createHash('sha256').update(content).digest('hex');
  const manifest = parseManifest({ ...thread, digest });
  expect(() => checkDigest(manifest, content)).not.toThrow();
  expect(() => checkDigest(manifest, Buffer.from('other'))).toThrow(`instead of ${digest}`);
});
