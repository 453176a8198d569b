import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalog, createCatalog, encodeIndex } from '@switchyard/control-plane';
import { systemClock, systemRandom } from '@switchyard/kernel';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import type { StoredIndex } from '@switchyard/runtime';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../../testing/app-folders.ts';
import { createMetadataVersions } from './metadata-version.ts';
import { createVersionSource } from './version-source.ts';

let folder: TestFolder;
let catalog: Catalog;
beforeEach(async () => {
  folder = await openTestFolder();
  catalog = createCatalog(
    { clock: systemClock, random: systemRandom, log: createMemoryLog() },
    { file: join(folder.path, 'catalog.sqlite'), keyFile: join(folder.path, 'catalog.key') },
  );
  catalog.applications.put({ applicationId: 'shop', tenantId: 'contoso', stack });
});
afterEach(async () => {
  catalog.close();
  await folder.remove();
});

const stack = { runtime: 'node', version: '24', architecture: 'x64' };
const hostJson = '{"version": "2.0"}';

const functionWith = (binding: object): RpcFunctionMetadata => ({
  name: 'work',
  directory: '',
  scriptFile: '',
  entryPoint: '',
  bindings: new Map(),
  isProxy: false,
  status: undefined,
  language: '',
  rawBindings: [JSON.stringify(binding)],
  functionId: '1',
  managedDependencyEnabled: false,
  retryOptions: undefined,
  properties: new Map(),
});

const queue = { name: 'item', type: 'queueTrigger', direction: 'in', queueName: '%Queue%', connection: 'Storage' };
const withQueue: StoredIndex = { functions: [functionWith(queue)], useDefaultIndexing: false };
const fromFiles: StoredIndex = { functions: [], useDefaultIndexing: true };

function open() {
  const opened: string[] = [];
  const openPackage = async (sha256: string, tenantId: string): Promise<string> => {
    opened.push(`${sha256.slice(0, 1)} ${tenantId}`);
    const path = join(folder.path, sha256.slice(0, 8));
    await mkdir(join(path, 'work'), { recursive: true });
    return path;
  };
  const metadataVersionOf = createMetadataVersions(catalog);
  const completeStack = (given: typeof stack) => ({ ...given, architecture: 'complete' });
  const source = createVersionSource({ catalog, openPackage, metadataVersionOf, completeStack, cpus: 1 });
  return { source, opened, openPackage, metadataVersionOf };
}

type Opened = ReturnType<typeof open>;

/** A version that was indexed with the settings of now. */
async function indexed({ source, openPackage, metadataVersionOf }: Opened, digit: string, index: StoredIndex) {
  const sha256 = digit.repeat(64);
  const made = catalog.deployments.create({
    applicationId: 'shop',
    sha256,
    message: '',
    promote: true,
    createdBy: 'test',
  });
  if (made.kind === 'refused') throw made.error;
  const { codeVersion } = made.value;
  const directory = await openPackage(sha256, 'contoso');
  const values = source.valuesOf('shop');
  catalog.versions.markIndexed('shop', codeVersion, {
    index: encodeIndex(index),
    hostJson,
    metadataVersion: await metadataVersionOf({ index, directory, hostJson, values }),
    settingsRevision: catalog.settings.get('shop').revision,
  });
  return codeVersion;
}

const set = (values: Readonly<Record<string, string>>): void => {
  catalog.settings.patch('shop', { set: new Map(Object.entries(values)) });
};

describe('createVersionSource', () => {
  it('reads a version with the settings of now, from the folder of its tenant', async () => {
    const run = open();
    set({ Storage: 'one', Queue: 'orders' });
    const codeVersion = await indexed(run, 'a', withQueue);
    const version = await run.source.read('shop', codeVersion);
    expect(version).toMatchObject({
      tenantId: 'contoso',
      stack: { ...stack, architecture: 'complete' },
      hostJson: { version: '2.0' },
      directory: join(folder.path, 'aaaaaaaa'),
    });
    expect(version?.values.get('Queue')).toBe('orders');
    expect(run.opened.at(-1)).toBe('a contoso');
    expect(await run.source.read('shop', 'unknown')).toBeUndefined();
    expect(await run.source.read('nobody', codeVersion)).toBeUndefined();
  });

  it('a setting that a binding names makes another JobHost, any other one only other workers', async () => {
    const run = open();
    set({ Storage: 'one', Queue: 'orders' });
    const codeVersion = await indexed(run, 'a', withQueue);
    const read = async () => (await run.source.read('shop', codeVersion))?.definition;
    const first = await read();
    set({ Greeting: 'hello' });
    const second = await read();
    expect(second?.metadataVersion).toBe(first?.metadataVersion);
    expect(second?.codeVersion).not.toBe(first?.codeVersion);
    set({ Storage: 'two' });
    const third = await read();
    expect(third?.metadataVersion).not.toBe(first?.metadataVersion);
    set({ Queue: 'others' });
    expect((await read())?.metadataVersion).not.toBe(third?.metadataVersion);
    // The catalog was told, so that it need not be found out again.
    const { status } = catalog.versions.get('shop', codeVersion) ?? {};
    expect(status).toMatchObject({ kind: 'indexed', settingsRevision: catalog.settings.get('shop').revision });
  });

  it('counts function.json files where the worker leaves the functions to them', async () => {
    const run = open();
    const versionOf = async (text: string): Promise<string | undefined> => {
      await writeFile(join(await run.openPackage('b'.repeat(64), 'contoso'), 'work', 'function.json'), text);
      const codeVersion = await indexed(run, 'b', fromFiles);
      return (await run.source.read('shop', codeVersion))?.definition.metadataVersion;
    };
    const one = await versionOf(JSON.stringify({ bindings: [queue] }));
    const other = await versionOf(JSON.stringify({ bindings: [{ ...queue, queueName: 'fixed' }] }));
    expect(new Set([one, other, await versionOf('{ nothing')]).size).toBe(3);
  });

  it('wants what has traffic, and what had it before, for a way back at once', async () => {
    const run = open();
    const versions = [];
    for (const digit of ['a', 'b', 'c']) {
      const codeVersion = await indexed(run, digit, withQueue);
      versions.push(codeVersion);
      catalog.traffic.set('shop', { weights: [{ codeVersion, weight: 100 }], reason: 'deployment' });
    }
    const wanted = await run.source.wantedOf('shop');
    const shares = wanted.map(({ version, weight }) => [version.definition.codeVersion.slice(0, 1), weight]);
    expect(shares).toEqual([
      ['c', 100],
      ['b', 0],
    ]);
    expect(await run.source.wantedOf('nobody')).toEqual([]);
  });
});
