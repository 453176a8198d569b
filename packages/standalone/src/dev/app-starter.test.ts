import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { JobHostStatus, RuntimeApplication } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadedApplication, loadApplication } from '../application/load-application.ts';
import { KeyFile } from '../keys/key-file.ts';
import type { DevOutput } from '../output/dev-output.ts';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { AppStarter } from './app-starter.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const worker: ResolvedWorker = {
  language: 'node',
  runtimeVersion: '24',
  file: '/worker/worker.config.json',
  profile: undefined,
  launch: {
    executable: 'node',
    arguments: [],
    workerPath: '/worker/worker.js',
    workerArguments: [],
    directory: '/app',
    environment: { FUNCTIONS_WORKER_DIRECTORY: '/worker' },
  },
  traits: {
    workerIndexing: true,
    extensions: ['.js'],
    processCount: 1,
    maxProcessCount: 1,
    processStartupIntervalMs: 1,
    processStartupTimeoutMs: 1,
    initializationTimeoutMs: 120_000,
    environmentReloadTimeoutMs: 1,
    processRestartIntervalMs: 1,
    processShutdownTimeoutMs: 1,
    stderrIsError: false,
    ignoresTermination: false,
    canUsePlaceholder: true,
  },
  notes: ['a note about the worker'],
};

async function app(name: string): Promise<LoadedApplication> {
  const path = await folder.write(name, { 'host.json': { version: '2.0' }, 'package.json': {} });
  return loadApplication(path, {});
}

const statusOf = (applicationId: string, state: JobHostStatus['state'] = 'active'): JobHostStatus => ({
  key: `${applicationId}:dev`,
  applicationId,
  state,
  functions: [
    {
      name: 'hello',
      trigger: 'httpTrigger',
      disabled: false,
      route: { template: 'x', methods: [], authLevel: 'function' },
    },
    { name: 'tick', trigger: 'timerTrigger', disabled: false },
  ],
  rejected: [],
  workers: [],
});

function open(keyFile?: KeyFile) {
  const told: string[] = [];
  const added = new Map<string, { application: RuntimeApplication; answer: Deferred<JobHostStatus> }>();
  const stays = new Set<string>();
  let observe: (status: JobHostStatus) => void = () => {};
  const output: DevOutput = {
    listening: () => {},
    keysIn: () => {},
    note: (applicationId, text) => told.push(`${applicationId} note: ${text}`),
    serving: (status, baseUrl) => told.push(`${status.applicationId} serves at ${baseUrl}`),
    failed: (error) => told.push(`failed: ${error.message}`),
    ready: () => {},
    stopping: () => {},
  };
  const starter = new AppStarter({
    runtime: {
      addApplication(application) {
        const answer = createDeferred<JobHostStatus>();
        added.set(application.definition.applicationId, { application, answer });
        return answer.promise;
      },
      watch(observer) {
        observe = observer;
        return () => {};
      },
      status: () => [...stays].map((applicationId) => statusOf(applicationId, 'indexing')),
    },
    workers: {
      resolve: ({ applicationId }) =>
        applicationId === 'odd' ? Promise.reject(new Error('no worker for it')) : Promise.resolve(worker),
    },
    output,
    keyFile,
    baseUrlOf: (applicationId) => `http://${applicationId}`,
  });
  const answer = (applicationId: string): Deferred<JobHostStatus> => {
    const found = added.get(applicationId);
    if (found === undefined) throw new Error(`${applicationId} was not added`);
    return found.answer;
  };
  return { starter, told, added, stays, answer, observe: (status: JobHostStatus) => observe(status) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('AppStarter', () => {
  it('hands an app to the Runtime as its folder describes it', async () => {
    const { starter, added, told } = open();
    const loaded = await app('shop');
    await starter.begin([loaded]);
    expect(added.get('shop')?.application).toMatchObject({
      definition: { applicationId: 'shop', metadataVersion: 'dev', codeVersion: 'dev' },
      stack: { runtime: 'node', version: '24', architecture: process.arch },
      worker: {
        workerDirectory: '/worker',
        workerIndexing: true,
        initializationTimeoutMs: 120_000,
        stderrIsError: false,
        ignoresTermination: false,
      },
      scriptRoot: loaded.directory,
      hostJson: { version: '2.0' },
      keys: undefined,
      development: true,
    });
    expect(told).toEqual([
      "shop note: FUNCTIONS_WORKER_RUNTIME is not set; 'node' is assumed because of package.json.",
      'shop note: a note about the worker',
    ]);
  });

  it('I1: tells why an app has no worker, and runs the others', async () => {
    const { starter, told, answer } = open();
    const starts = await starter.begin([await app('odd'), await app('shop')]);
    answer('shop').resolve(statusOf('shop'));
    await Promise.all(starts);
    expect(told.filter((line) => !line.includes('note'))).toEqual([
      'failed: no worker for it',
      'shop serves at http://shop',
    ]);
    expect(starter.firstError?.message).toBe('no worker for it');
  });

  it('I1: tells why the Runtime turned an app away, once', async () => {
    const { starter, told, answer } = open();
    const starts = await starter.begin([await app('shop')]);
    answer('shop').reject(new Error('its host.json is wrong'));
    await Promise.all(starts);
    expect(told.filter((line) => !line.includes('note'))).toEqual(['failed: its host.json is wrong']);
  });

  it('I2: leaves the word to the Runtime while an app goes on trying, and lists it when it serves at last', async () => {
    const { starter, told, answer, stays, observe } = open();
    const starts = await starter.begin([await app('shop')]);
    stays.add('shop');
    answer('shop').reject(new Error('its worker did not start'));
    await Promise.all(starts);
    observe(statusOf('shop', 'indexing'));
    await settle();
    expect(told.filter((line) => !line.includes('note'))).toEqual([]);
    observe(statusOf('shop', 'active'));
    observe(statusOf('shop', 'active'));
    await settle();
    expect(told.filter((line) => !line.includes('note'))).toEqual(['shop serves at http://shop']);
  });

  it('I2: lists an app once, whoever is first to say that it serves', async () => {
    const { starter, told, answer, observe } = open();
    const starts = await starter.begin([await app('shop')]);
    observe(statusOf('shop'));
    answer('shop').resolve(statusOf('shop'));
    await Promise.all(starts);
    await settle();
    expect(told.filter((line) => line.includes('serves'))).toHaveLength(1);
  });

  it('I3: is not ready before the keys are written, whoever was first to say that the app serves', async () => {
    const keyFile = await KeyFile.open(join(folder.path, 'keys.json'), createSeededRandom(1));
    const { starter, told, answer, observe } = open(keyFile);
    const starts = await starter.begin([await app('shop')]);
    observe(statusOf('shop'));
    answer('shop').resolve(statusOf('shop'));
    await Promise.all(starts);
    expect(told.at(-1)).toBe('shop serves at http://shop');
    expect(JSON.parse(await readFile(keyFile.path, 'utf8')).apps.shop.functions).toHaveProperty('hello');
  });

  it('I3: makes a key for every HTTP function before the app is listed', async () => {
    const keyFile = await KeyFile.open(join(folder.path, 'keys.json'), createSeededRandom(1));
    const { starter, added, answer } = open(keyFile);
    const starts = await starter.begin([await app('shop')]);
    const before = await KeyFile.open(keyFile.path, createSeededRandom(2));
    expect(await before.keysOf('shop')).toBeDefined();
    answer('shop').resolve(statusOf('shop'));
    await Promise.all(starts);
    const { apps } = JSON.parse(await readFile(keyFile.path, 'utf8'));
    expect(Object.keys(apps.shop.functions)).toEqual(['hello']);
    const keys = added.get('shop')?.application.keys;
    expect(keys?.levelOf(apps.shop.functions.hello.default, 'hello')).toBe('function');
  });
});
