import { createDeferred, type Deferred, type Log } from '@switchyard/kernel';
import type { AddOptions, JobHostStatus, RuntimeApplication } from '@switchyard/runtime';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createLoaded, createStatus, sampleWorker } from '../testing/versions.ts';
import { AppVersions } from './app-versions.ts';

interface Added {
  readonly application: RuntimeApplication;
  readonly options: AddOptions | undefined;
  readonly ready: Deferred<JobHostStatus>;
}

function open({ resolves = true } = {}) {
  const log = createMemoryLog();
  const added: Added[] = [];
  const told: string[] = [];
  const ends = new Map<string, Deferred<void>>();
  const versions = new AppVersions({
    runtime: {
      addApplication(application, options) {
        const ready = createDeferred<JobHostStatus>();
        added.push({ application, options, ready });
        return ready.promise;
      },
      async promoteApplication(key) {
        told.push(`promote ${key}`);
      },
      removeApplication(key, deadlineMs) {
        told.push(`remove ${key} in ${deadlineMs}`);
        const end = ends.get(key) ?? createDeferred<void>();
        ends.set(key, end);
        return end.promise;
      },
      status: () => [createStatus([], { key: 'shop:dev-1' })],
    },
    workers: {
      resolve: (_application, { codeVersion }) =>
        resolves ? Promise.resolve(sampleWorker) : Promise.reject(new Error(`no worker for ${codeVersion}`)),
      forget: ({ codeVersion }) => told.push(`forget ${codeVersion}`),
    },
    keyFile: {
      keysOf: async () => undefined as never,
      addFunctions: async (_applicationId: string, names: readonly string[]) => {
        told.push(`keys for ${names.join()}`);
      },
    } as never,
    log,
  });
  return { versions, added, told, ends, log };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const lineOf = (log: Log | undefined, message: string): void => log?.write('information', message, { category: 'x' });

describe('AppVersions', () => {
  it('hands an app to the Runtime as its folder describes it', async () => {
    const { versions, added } = open();
    await versions.begin(createLoaded());
    expect(added[0]?.options).toMatchObject({ standby: false });
    expect(added[0]?.application).toMatchObject({
      definition: { applicationId: 'shop', metadataVersion: 'dev-1', codeVersion: 'dev-1' },
      stack: { runtime: 'node', version: '24', architecture: process.arch },
      worker: { workerDirectory: '/worker', workerIndexing: true, initializationTimeoutMs: 120_000 },
      scriptRoot: '/app',
      hostJson: { version: '2.0' },
      development: true,
    });
  });

  it('I1: numbers its versions, those that are dismissed too', async () => {
    const { versions, added } = open();
    await versions.begin(createLoaded());
    versions.dismiss(await versions.tryOut(createLoaded()), undefined);
    const third = await versions.tryOut(createLoaded());
    expect(added.map(({ application }) => application.definition.codeVersion)).toEqual(['dev-1', 'dev-2', 'dev-3']);
    expect(third.key).toBe('shop:dev-3');
  });

  it('I2: a version on trial stands by; accepted it has its keys before it serves', async () => {
    const { versions, added, told } = open();
    const first = await versions.begin(createLoaded());
    const next = await versions.tryOut(createLoaded());
    expect(added[1]?.options).toMatchObject({ standby: true });
    expect([told, versions.current]).toEqual([[], first]);
    await versions.accept(next, ['hello']);
    expect(told.slice(0, 2)).toEqual(['keys for hello', 'promote shop:dev-2']);
    expect(versions.current).toBe(next);
  });

  it('I2: a dismissed version leaves nothing, and its lines only when something was said', async () => {
    const { versions, added, told, ends, log } = open();
    await versions.begin(createLoaded());
    for (const report of [undefined, 'it is broken']) {
      const next = await versions.tryOut(createLoaded());
      lineOf(added.at(-1)?.options?.log, `loading ${next.key}`);
      versions.dismiss(next, report);
      ends.get(next.key)?.resolve();
    }
    await settle();
    expect(told.sort()).toEqual(['forget dev-2', 'forget dev-3', 'remove shop:dev-2 in 0', 'remove shop:dev-3 in 0']);
    expect(log.records.map(({ message }) => message)).toEqual(['loading shop:dev-3']);
  });

  it.each([
    [600_000, 660_000],
    [undefined, 1_860_000],
    [7_200_000, 1_860_000],
  ])(
    'I3: what runs has its time to end: with a functionTimeout of %s ms, %i ms',
    async (functionTimeoutMs, drainMs) => {
      const { versions, told } = open();
      await versions.begin(createLoaded({ host: { functionTimeoutMs } as never }));
      await versions.accept(await versions.tryOut(createLoaded()), []);
      expect(told.at(-1)).toBe(`remove shop:dev-1 in ${drainMs}`);
    },
  );

  it('I4: no more than eight versions end side by side', async () => {
    const { versions, told, ends } = open();
    await versions.begin(createLoaded());
    for (let count = 0; count < 9; count += 1) await versions.accept(await versions.tryOut(createLoaded()), []);
    expect(told.filter((line) => line.endsWith('in 0'))).toEqual(['remove shop:dev-1 in 0']);
    for (const key of ['shop:dev-1', 'shop:dev-2']) ends.get(key)?.resolve();
    await settle();
    await versions.accept(await versions.tryOut(createLoaded()), []);
    expect(told.filter((line) => line.endsWith('in 0'))).toHaveLength(1);
    expect(told).toContain('forget dev-2');
  });

  it('I5: shows what a version logged on trial when it is accepted', async () => {
    const { versions, added, log } = open();
    await versions.begin(createLoaded());
    const next = await versions.tryOut(createLoaded());
    lineOf(added[1]?.options?.log, 'loading');
    expect(log.records).toEqual([]);
    await versions.accept(next, []);
    lineOf(added[1]?.options?.log, 'running');
    expect(log.records.map(({ message }) => message)).toEqual(['loading', 'running']);
  });

  it('rejects an app without a worker, and knows which versions the Runtime still tries', async () => {
    await expect(open({ resolves: false }).versions.begin(createLoaded())).rejects.toThrow('no worker for dev-1');
    const { versions } = open();
    expect(versions.isHosted(await versions.begin(createLoaded()))).toBe(true);
    expect(versions.isHosted(await versions.tryOut(createLoaded()))).toBe(false);
  });
});
