/** The library as a broker meets it: its manifests are registered, and real hosts load its entries. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Crypto, DataSql, Text, Web } from '@switchyard/capabilities';
import {
  type CapabilityModule as BrokerModule,
  type CapabilityManifest,
  type HostConnection,
  keyOf,
  openInProcessHost,
  openProcessHost,
  openThreadHost,
  PackageStore,
  parseManifest,
} from '@switchyard/capability-broker';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { afterAll, afterEach, expect, test } from 'vitest';
import { bundleNodeProgram } from '../../capability-broker/src/hosts/testing/node-program.ts';
import type { CapabilityModule } from './capability-module.ts';
import { coreNames, createCoreModules } from './core-modules.ts';
import { createLibraryManifests } from './library-manifests.ts';
import { bundleEntries } from './testing/bundle-threads.ts';

const folder = mkdtempSync(join(tmpdir(), 'library-'));
/** Hosts and entries as they are published. */
const program = await bundleNodeProgram();
const bundleFolder = await bundleEntries(join(folder, 'bundle'));
const manifests = new Map(createLibraryManifests({ bundleFolder }).map((input) => [input.name, parseManifest(input)]));
const open: HostConnection[] = [];

afterEach(async () => {
  for (const connection of open.splice(0)) await connection.kill();
});

afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true });
});

function find(name: string): CapabilityManifest {
  const manifest = manifests.get(name);
  if (manifest === undefined) throw new Error(`no manifest '${name}'`);
  return manifest;
}

/** A host of the kind that the manifest asks for. */
function start({ kind, name }: CapabilityManifest): HostConnection {
  const modules: ReadonlyMap<string, BrokerModule> = createCoreModules({ clock: systemClock });
  const common = { clock: systemClock, random: systemRandom, log: silentLog };
  const connection =
    kind === 'builtin'
      ? openInProcessHost({ ...common, pid: process.pid, memoryBytes: () => 0, builtins: modules })
      : kind === 'thread'
        ? openThreadHost(common, { shard: name, program: program.path, flags: [], maxHeapMb: 128 })
        : openProcessHost(common, {
            ...{ shard: name, executable: process.execPath, parameters: [program.path] },
            environment: {},
          });
  open.push(connection);
  return connection;
}

/** Loads a capability into a host of its kind, and gives what calls it; and which methods it has. */
async function load(name: string, dependencies = {}) {
  const manifest = find(name);
  const { host } = start(manifest);
  const { version, kind, entry, limits, idempotentMethods, config } = manifest;
  const key = keyOf(manifest);
  const statePath = join(folder, `${name}.sqlite`);
  const { methods } = await host.load({
    ...{ key, name, version, kind, entry, limits, idempotentMethods, config, statePath },
    shard: `${name}:shard-0`,
  });
  const target = await host.open({ key, leaseId: `lease-${name}`, account: 'ann', ticket: '' }, dependencies);
  const call = async (method: string, parameters: readonly unknown[] = []): Promise<unknown> =>
    target.invoke(method, parameters);
  return { methods, target, call };
}

test('the core is what the list says, and nothing of it has a file', () => {
  const core = [...manifests.values()].filter(({ tier }) => tier === 1);
  expect(core.map(({ name }) => name)).toEqual([...coreNames]);
  expect([...createCoreModules({ clock: systemClock }).keys()]).toEqual([...coreNames]);
  expect(core.every(({ entry }) => entry === null)).toBe(true);
  const others = [...manifests.values()].filter(({ tier }) => tier > 1);
  expect(others.every(({ entry }) => entry !== null && existsSync(entry))).toBe(true);
});

test('what the operator configures reaches the manifest of that name alone', () => {
  const configured = createLibraryManifests({ config: { 'data.sql': { maxRows: 7 }, __proto__: { x: 1 } } });
  expect(configured.filter(({ config }) => Object.keys(config).length > 0).map(({ name }) => name)).toEqual([
    'data.sql',
  ]);
});

test('a manifest names the digest of its bundled entry; without a bundle, the file that it is made of', () => {
  for (const { tier, entry, digest } of manifests.values()) {
    if (tier === 1 || entry === null) continue;
    expect(digest).toBe(createHash('sha256').update(readFileSync(entry)).digest('hex'));
  }
  const unbundled = createLibraryManifests({ bundleFolder: join(folder, 'none') });
  const entries = unbundled
    .filter(({ tier }) => tier > 1)
    .map(({ entry, digest }) => [existsSync(entry ?? ''), digest]);
  expect(entries).toEqual(entries.map(() => [true, null]));
});

test('an entry comes from the package store, and is refused once it was changed', async () => {
  const store = new PackageStore(join(folder, 'packages'));
  await store.prepare();
  const { name, version, tier, kind, entry } = find('crypto');
  const { digest, path } = await store.put(readFileSync(entry ?? ''), 'crypto.mjs');
  const stored = parseManifest({ name, version, tier, kind, entry: path, digest });
  await store.open(stored);
  const { host } = start(stored);
  const { limits, idempotentMethods } = stored;
  const order = { key: 'crypto@1.0.0', name, version, kind, limits, idempotentMethods, config: {} };
  const { methods } = await host.load({ ...order, entry: path, statePath: null, shard: 'crypto:shard-0' });
  expect(methods).toContain('seal');
  appendFileSync(path, '//');
  await expect(store.open(stored)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('every method that a manifest calls idempotent exists', async () => {
  for (const { name, idempotentMethods } of manifests.values()) {
    const { methods } = await load(name);
    expect(methods, name).toEqual(expect.arrayContaining([...idempotentMethods]));
  }
});

test('a module of this library is one of the broker, and has what clients are promised', async () => {
  const module: CapabilityModule & BrokerModule = createCoreModules({ clock: systemClock }).get(
    'text',
  ) as CapabilityModule;
  expect(module.create).toBeTypeOf('function');
  // Types alone: were a method missing from these lists, this would not compile.
  const promised = {
    text: ['parseCsv', 'formatCsv', 'encode', 'decode', 'canonicalJson', 'fill'] satisfies (keyof Text)[],
    'data.sql': ['query', 'execute', 'batch'] satisfies (keyof DataSql)[],
    web: ['fetch', 'htmlToText', 'links', 'jsonPointer'] satisfies (keyof Web)[],
    crypto: 'hash createKey publicKey hmac sign verify seal unseal'.split(' ') as (keyof Crypto)[],
  };
  for (const [name, methods] of Object.entries(promised))
    expect((await load(name)).methods, name).toEqual(expect.arrayContaining(methods));
});

test('SQL in a thread: a table that is still there after the thread', async () => {
  const first = await load('data.sql');
  await first.call('execute', ['CREATE TABLE note (text TEXT)']);
  expect(await first.call('execute', ['INSERT INTO note VALUES (?)', ['kept']])).toBe(1);
  await open.pop()?.kill();
  const second = await load('data.sql');
  expect(await second.call('query', ['SELECT text FROM note'])).toEqual([{ text: 'kept' }]);
  await expect(second.call('query', ['SELECT nothing'])).rejects.toMatchObject({
    code: 'SQL_REFUSED',
    retryable: false,
  });
});

test('keys in a thread: sealed here, opened here', async () => {
  const { call } = await load('crypto');
  await call('createKey', ['box', 'seal']);
  const sealed = await call('seal', ['box', 'secret', 'for ann']);
  expect(Buffer.from((await call('unseal', ['box', sealed, 'for ann'])) as Uint8Array).toString()).toBe('secret');
  await expect(call('unseal', ['box', sealed, 'for bob'])).rejects.toMatchObject({ code: 'UNSEAL_FAILED' });
});

test('the web from a thread: tools work, and this machine is out of reach', async () => {
  const { call } = await load('web');
  expect(await call('htmlToText', ['<p>a<p>b'])).toBe('a\nb');
  for (const url of ['http://127.0.0.1/', 'http://localhost/', 'http://[::ffff:10.0.0.1]/'])
    await expect(call('fetch', [url])).rejects.toMatchObject({ code: 'WEB_TARGET_REFUSED' });
});

test('inference in a process asks the core for features: three tiers of hosts in one call', async () => {
  const text = await load('text');
  const { call } = await load('ml.inference', { text: text.target });
  const classes = await call('classifyText', ['language', 'Das ist ein ganz normaler deutscher Satz.']);
  expect(classes).toMatchObject([{ label: 'de' }, {}, {}, {}, {}]);
});

test('compute and background run in processes of their own', async () => {
  const compute = await load('compute');
  expect(await compute.call('run', ['countPrimes', [1_000]])).toBe(168);
  const background = await load('background');
  const id = await background.call('submit', ['text.words', { text: 'to be or not to be', top: 1 }]);
  expect(await background.call('wait', [id])).toMatchObject({ state: 'done', result: [{ word: 'be', count: 2 }] });
});
