import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalog, createCatalog, type DeploymentRecord } from '@switchyard/control-plane';
import { createDeferred, systemClock, systemRandom } from '@switchyard/kernel';
import type { JobHostStatus, StoredIndex } from '@switchyard/runtime';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { Deployer, type DeployerDeps } from './deployer.ts';
import type { DeployedVersion } from './versions/deployed-version.ts';
import { createMetadataVersions } from './versions/metadata-version.ts';
import { createVersionSource } from './versions/version-source.ts';

let folder: TestFolder;
let catalog: Catalog;
beforeEach(async () => {
  folder = await openTestFolder();
  const file = join(folder.path, 'catalog.sqlite');
  catalog = createCatalog(
    { clock: systemClock, random: systemRandom, log: createMemoryLog() },
    { file, keyFile: join(folder.path, 'catalog.key') },
  );
});
afterEach(async () => {
  catalog.close();
  await folder.remove();
});

const stack = { runtime: 'node', version: '24', architecture: 'x64' };
const emptyIndex: StoredIndex = { functions: [], useDefaultIndexing: true };

const status: JobHostStatus = {
  key: 'k',
  applicationId: 'shop',
  state: 'active',
  functions: [
    {
      name: 'hello',
      trigger: 'httpTrigger',
      disabled: false,
      route: { template: 'api/hello', methods: [], authLevel: 'function' },
    },
    { name: 'tick', trigger: 'timerTrigger', disabled: false },
  ],
  rejected: [],
  workers: [],
  versions: [],
};

interface OpenOptions {
  readonly index?: DeployerDeps['index'];
  readonly tryOut?: (version: DeployedVersion) => Promise<JobHostStatus>;
  readonly promote?: DeployerDeps['promote'];
}

function open(options: OpenOptions = {}) {
  const told: string[] = [];
  const openPackage = async (sha256: string): Promise<string> => {
    const path = join(folder.path, sha256.slice(0, 8));
    await mkdir(path, { recursive: true });
    return path;
  };
  const metadataVersionOf = createMetadataVersions(catalog);
  const parts = { catalog, openPackage, metadataVersionOf, cpus: 1 };
  const deployer = new Deployer({
    ...parts,
    log: createMemoryLog(),
    versions: createVersionSource({ ...parts, completeStack: (given) => given }),
    hosting: {
      async tryOut(version) {
        told.push(`try ${version.definition.codeVersion.slice(0, 4)}`);
        return (await options.tryOut?.(version)) ?? status;
      },
      async endTrial({ definition }) {
        told.push(`end ${definition.codeVersion.slice(0, 4)}`);
      },
    },
    index: options.index ?? (async () => emptyIndex),
    promote:
      options.promote ??
      (async ({ applicationId, codeVersion }) => {
        told.push(`promote ${codeVersion.slice(0, 4)}`);
        const weights = [{ codeVersion, weight: 100 }];
        catalog.traffic.set(applicationId, { weights, reason: 'deployment' });
      }),
  });
  return { deployer, told, openPackage };
}

function record(digit: string, applicationId = 'shop', promote = true): DeploymentRecord {
  catalog.applications.put({ applicationId, tenantId: 'contoso', stack });
  const sha256 = digit.repeat(64);
  const outcome = catalog.deployments.create({ applicationId, sha256, message: '', promote, createdBy: 'test' });
  if (outcome.kind === 'refused') throw outcome.error;
  return outcome.value;
}

async function run(deployer: Deployer, one: DeploymentRecord): Promise<void> {
  deployer.deploy(one);
  await expect.poll(() => catalog.deployments.get(one.deploymentId)?.state).not.toBe('running');
  await deployer.close();
}

const stepsOf = ({ deploymentId }: DeploymentRecord): string[] =>
  catalog.deployments.get(deploymentId)?.steps.map(({ name }) => name) ?? [];

const servingOf = (applicationId = 'shop'): string =>
  catalog.traffic
    .get(applicationId)
    .weights.map(({ codeVersion, weight }) => `${codeVersion.slice(0, 1)}=${weight}`)
    .join(' ');

describe('Deployer', () => {
  it('I2: indexes, tries out, promotes, and makes a key for every HTTP function', async () => {
    const { deployer, told } = open();
    const first = record('a');
    await run(deployer, first);
    expect(stepsOf(first)).toEqual(['stored', 'indexed', 'starting', 'ready', 'promoted']);
    expect([told, servingOf()]).toEqual([['try aaaa', 'promote aaaa', 'end aaaa'], 'a=100']);
    const keys = catalog.keys.list('shop').filter(({ kind }) => kind === 'function');
    expect(keys).toMatchObject([{ functionName: 'hello', name: 'default' }]);
    expect(catalog.versions.get('shop', first.codeVersion)?.status).toMatchObject({ kind: 'indexed' });
  });

  it('I2: leaves the traffic alone when it is not asked to promote', async () => {
    const { deployer } = open();
    const only = record('a', 'shop', false);
    await run(deployer, only);
    expect([stepsOf(only).at(-1), servingOf()]).toEqual(['ready', '']);
    expect(catalog.deployments.get(only.deploymentId)?.state).toBe('succeeded');
  });

  it('I1: runs the deployments of an app one after the other, and those of others beside them', async () => {
    const gate = createDeferred<void>();
    const { deployer, told } = open({
      tryOut: async ({ definition }) => {
        if (definition.codeVersion.startsWith('a')) await gate.promise;
        return status;
      },
    });
    const [one, two, other] = [record('a'), record('b'), record('c', 'blog')];
    for (const each of [one, two, other]) deployer.deploy(each);
    await expect.poll(() => servingOf('blog')).toBe('c=100');
    expect(told).not.toContain('try bbbb');
    gate.resolve();
    await expect.poll(() => servingOf()).toBe('b=100');
    expect(told.filter((line) => !line.includes('c'))).toEqual([
      ...['try aaaa', 'promote aaaa', 'end aaaa'],
      ...['try bbbb', 'promote bbbb', 'end bbbb'],
    ]);
  });

  it.each<[string, OpenOptions, string[], boolean]>([
    ['cannot be indexed', { index: () => Promise.reject(new Error('no entry point')) }, ['stored', 'failed'], true],
    [
      'does not start',
      { tryOut: () => Promise.reject(new Error('no entry point')) },
      ['stored', 'indexed', 'starting', 'failed'],
      false,
    ],
  ])(
    'I3: a version that %s fails with the reason, and what served goes on',
    async (_title, options, steps, isFailed) => {
      const good = record('a');
      const before = open();
      await run(before.deployer, good);
      const { deployer } = open(options);
      const bad = record('b');
      await run(deployer, bad);
      expect(stepsOf(bad)).toEqual(steps);
      expect(catalog.deployments.get(bad.deploymentId)?.steps.at(-1)?.problem).toMatchObject({
        message: 'no entry point',
      });
      expect(servingOf()).toBe('a=100');
      expect(catalog.versions.get('shop', bad.codeVersion)?.status.kind === 'failed').toBe(isFailed);
    },
  );

  it('I3: an app whose host.json is wrong is shown to no worker', async () => {
    let asked = 0;
    const { deployer, openPackage } = open({
      index: async () => {
        asked += 1;
        return emptyIndex;
      },
    });
    await writeFile(
      join(await openPackage('a'.repeat(64)), 'host.json'),
      '{"version": "2.0", "functionTimeout": "soon"}',
    );
    const bad = record('a');
    await run(deployer, bad);
    expect([stepsOf(bad), asked]).toEqual([['stored', 'failed'], 0]);
    expect(catalog.deployments.get(bad.deploymentId)?.steps.at(-1)?.problem?.message).toContain('functionTimeout');
  });

  it('I2, I3: a version that is not promoted after all fails with the reason', async () => {
    const { deployer, told } = open({ promote: () => Promise.reject(new Error('its gate has failed')) });
    const first = record('a');
    await run(deployer, first);
    expect(catalog.deployments.get(first.deploymentId)?.steps.at(-1)).toMatchObject({
      name: 'failed',
      problem: { message: 'its gate has failed' },
    });
    expect([told, servingOf()]).toEqual([['try aaaa', 'end aaaa'], '']);
  });

  it('I2: a stop while a version is promoted leaves the deployment to the next start', async () => {
    const { deployer } = open({
      promote: (_record, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const first = record('a');
    deployer.deploy(first);
    await expect.poll(() => stepsOf(first).at(-1)).toBe('ready');
    await deployer.close();
    expect([catalog.deployments.get(first.deploymentId)?.state, stepsOf(first).at(-1)]).toEqual(['running', 'ready']);
  });

  it('I2: goes on with what a stop has cut off', async () => {
    const gate = createDeferred<void>();
    const cut = open({
      tryOut: async () => {
        await gate.promise;
        throw new Error('the Runtime is shutting down');
      },
    });
    const only = record('a');
    cut.deployer.deploy(only);
    await expect.poll(() => cut.told).toEqual(['try aaaa']);
    const closed = cut.deployer.close();
    gate.resolve();
    await closed;
    expect(catalog.deployments.get(only.deploymentId)?.state).toBe('running');
    const next = open();
    next.deployer.resume();
    await expect.poll(() => servingOf()).toBe('a=100');
    await next.deployer.close();
    expect(catalog.deployments.get(only.deploymentId)?.state).toBe('succeeded');
  });

  it('I4: a stop does not wait for an app that never starts', async () => {
    const { deployer, told } = open({ tryOut: () => createDeferred<JobHostStatus>().promise });
    const only = record('a');
    deployer.deploy(only);
    await expect.poll(() => told).toEqual(['try aaaa']);
    await deployer.close();
    expect(told).toEqual(['try aaaa', 'end aaaa']);
    expect(catalog.deployments.get(only.deploymentId)?.state).toBe('running');
  });
});
