import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { parseManifest } from '../registry/capability-manifest.ts';
import { PackageStore } from './package-store.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function open() {
  const folder = await mkdtemp(join(tmpdir(), 'package-store-'));
  folders.push(folder);
  const store = new PackageStore(folder);
  await store.prepare();
  return { folder, store };
}

function manifestOf(entry: string, digest: string | null) {
  return parseManifest({ name: 'ext.one', version: '1.2.0', tier: 2, kind: 'thread', entry, digest });
}

test('I1: code that was changed is not given out', async () => {
  const { store } = await open();
  const { digest, path } = await store.put(Buffer.from('exports.create = 1'), 'one.cjs');
  await store.open(manifestOf(path, digest));
  await writeFile(path, 'exports.create = 2');
  await expect(store.open(manifestOf(path, digest))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  await store.open(manifestOf(path, null));
});

test('I2: registrations outlast the process, and removed ones do not', async () => {
  const { folder, store } = await open();
  const manifest = manifestOf('/x.cjs', null);
  await store.save({ manifest, weight: 10 });
  expect(await new PackageStore(folder).registrations()).toEqual([{ manifest, weight: 10 }]);
  await store.save({ manifest, weight: 50 });
  expect(await new PackageStore(folder).registrations()).toEqual([{ manifest, weight: 50 }]);
  await store.remove(manifest);
  expect(await new PackageStore(folder).registrations()).toEqual([]);
});

test('I3: the name of a file decides nothing but how it is run', async () => {
  const { store } = await open();
  const content = Buffer.from('x');
  const digest = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
  for (const [name, extension] of [
    ['../../evil.cjs', '.cjs'],
    ['a.sh', ''],
    ['b.wasm', '.wasm'],
  ] as const)
    expect(basename((await store.put(content, name)).path)).toBe(`${digest}${extension}`);
  expect(store.owns(manifestOf((await store.put(content, 'a.cjs')).path, digest))).toBe(true);
  expect(store.owns(manifestOf('/elsewhere/a.cjs', digest))).toBe(false);
});
