/**
 * What holds for an app's workers however they are bound to their Runtime: by dialling it themselves, or late, as
 * placeholders behind a sidecar. Both ways pass this suite.
 */
import type { ApplicationDefinition } from '@switchyard/model';
import type { Runtime, RuntimeApplication } from '@switchyard/runtime';
import { failureResult, invocationSuccess, type MemoryLog, type VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { FakeFleet, FleetWorker } from './fake-fleet.ts';
import { createHelloApplication, helloDefinition } from './hello-application.ts';

/** One way of binding, ready to be tried. */
export interface BindingWorld {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly runtime: Runtime;
  readonly fleet: FakeFleet;
  /** Asks a function over HTTP, through the Runtime's gateway. */
  ask(path: string, host?: string): Promise<{ readonly status: number; readonly body: string }>;
  /** The settings as the worker has got them. */
  environmentOf(worker: FleetWorker): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export type OpenBinding = (settings: Readonly<Record<string, string>>) => BindingWorld;

const text = (value: string) => invocationSuccess({ returnValue: { data: { $case: 'string', value } } } as const);

const other: ApplicationDefinition = { applicationId: 'other', metadataVersion: 'm1', codeVersion: 'c1' };

/** The workers that have loaded a function, which placeholders have not. */
function serving({ fleet }: BindingWorld): FleetWorker[] {
  return fleet.workers.filter((worker) => worker.bodies('functionLoadRequest').length > 0);
}

export function describeBinding(name: string, open: OpenBinding): void {
  const withWorld = async (
    run: (world: BindingWorld) => Promise<void>,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const world = open(settings);
    await run(world);
    await world.clock.runUntil(world.close());
    expect(world.runtime.status()).toEqual([]);
  };
  const add = async (world: BindingWorld, more: Partial<RuntimeApplication> = {}) =>
    await world.clock.runUntil(world.runtime.addApplication({ ...createHelloApplication(), ...more }));

  describe(`${name}: an app and its workers`, () => {
    test('serves what its worker lists', () =>
      withWorld(async (world) => {
        world.fleet.options = { onInvocation: () => text('from the worker') };
        expect(await add(world)).toMatchObject({ state: 'active', functions: [{ name: 'hello' }] });
        expect(await world.ask('/api/hello')).toEqual({ status: 200, body: 'from the worker' });
      }));

    test('gives its settings to the worker', () =>
      withWorld(
        async (world) => {
          await add(world);
          const [worker] = serving(world);
          expect(worker && world.environmentOf(worker).get('GREETING')).toBe('hello');
        },
        { GREETING: 'hello' },
      ));

    test('loads the same functions into each of its workers', () =>
      withWorld(async (world) => {
        world.fleet.options = { functions: [{ name: 'b' }, { name: 'a', functionId: 'id-of-a' }] };
        await add(world, { settings: new Map([['FUNCTIONS_WORKER_PROCESS_COUNT', '3']]) });
        await world.clock.settle();
        const loads = serving(world).map((worker) => worker.bodies('functionLoadRequest').map((one) => one.functionId));
        expect(loads).toEqual([
          ['id-of-a', 'b'],
          ['id-of-a', 'b'],
          ['id-of-a', 'b'],
        ]);
        expect(world.runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
      }));

    test('runs on when one function cannot be loaded', () =>
      withWorld(async (world) => {
        world.fleet.options = {
          functions: [{ name: 'bad' }, { name: 'good' }],
          onInvocation: () => text('good'),
          script: {
            functionLoadRequest: ({ functionId }) => ({
              $case: 'functionLoadResponse',
              value: {
                functionId,
                result: functionId === 'bad' ? failureResult('broken file') : { ...failureResult(''), status: 1 },
                isDependencyDownloaded: false,
              },
            }),
          },
        };
        await add(world);
        expect(await world.ask('/api/good')).toEqual({ status: 200, body: 'good' });
        expect((await world.ask('/api/bad')).status).toBe(500);
      }));
  });

  describe(`${name}: trouble`, () => {
    test('a worker that dies fails what it ran, and is replaced', () =>
      withWorld(async (world) => {
        world.fleet.options = { onInvocation: () => new Promise(() => {}) };
        await add(world);
        const reply = world.ask('/api/hello');
        await world.clock.settle();
        world.fleet.options = { onInvocation: () => text('the next one') };
        serving(world)[0]?.die(1);
        expect((await world.clock.runUntil(reply)).status).toBe(500);
        const next = world.ask('/api/hello');
        expect((await world.clock.runUntil(next)).status).toBeGreaterThan(0);
        await world.clock.advance(5_000);
        expect(world.runtime.status()[0]?.workers.some(({ state }) => state === 'ready')).toBe(true);
      }));

    test('a worker in which an invocation hangs is replaced', () =>
      withWorld(async (world) => {
        world.fleet.options = { onInvocation: () => new Promise(() => {}) };
        await add(world, { hostJson: { version: '2.0', functionTimeout: '00:00:10' } });
        const reply = world.ask('/api/hello');
        await world.clock.settle();
        const [hung] = serving(world);
        await world.clock.advance(10_000);
        expect((await reply).status).toBe(500);
        await world.clock.advance(30_000);
        expect(hung?.isAlive()).toBe(false);
        expect(world.runtime.status()[0]?.workers).toMatchObject([{ state: 'ready' }]);
        expect(world.runtime.status()[0]?.workers[0]?.workerId).not.toBe(hung?.workerId);
      }));

    test('one app’s trouble is not the other’s', () =>
      withWorld(async (world) => {
        world.fleet.options = { onInvocation: () => text('first') };
        await add(world);
        world.fleet.options = { onInvocation: () => text('second') };
        await add(world, { definition: other });
        expect((await world.ask('/api/hello', 'hello.localhost')).status).toBe(200);
        expect((await world.ask('/api/hello', 'other.localhost')).status).toBe(200);
        const before = world.runtime.status().find(({ applicationId }) => applicationId === 'other');
        serving(world)[0]?.die(1);
        await world.clock.settle();
        const after = world.runtime.status().find(({ applicationId }) => applicationId === 'other');
        expect(after).toEqual(before);
        expect((await world.ask('/api/hello', 'other.localhost')).status).toBe(200);
      }));
  });

  describe(`${name}: what workers say`, () => {
    test('log lines carry their function, and console lines their worker', () =>
      withWorld(async (world) => {
        world.fleet.options = {
          onInvocation: ({ invocationId }, worker) => {
            worker.log({ message: 'within', invocationId });
            return text('x');
          },
        };
        await add(world);
        await world.ask('/api/hello');
        const [worker] = serving(world);
        worker?.print('stdout', 'printed by the app');
        worker?.print('stderr', 'TypeError: of the app');
        await world.clock.settle();
        const fieldsOf = (message: string) => world.log.records.find((record) => record.message === message);
        expect(fieldsOf('within')?.fields).toMatchObject({ category: 'Function.hello.User', functionName: 'hello' });
        expect(fieldsOf('printed by the app')).toMatchObject({
          level: 'information',
          fields: { category: 'Host.Function.Console', applicationId: 'hello', workerId: worker?.workerId },
        });
        expect(fieldsOf('TypeError: of the app')?.level).toBe('error');
      }));
  });

  describe(`${name}: the end of an app`, () => {
    test('ends its workers, after they were told', () =>
      withWorld(async (world) => {
        await add(world);
        const [worker] = serving(world);
        const key = `${helloDefinition.applicationId}:${helloDefinition.metadataVersion}`;
        await world.clock.runUntil(world.runtime.removeApplication(key, 1_000));
        await world.clock.settle();
        expect(worker?.bodies('workerTerminate')).toHaveLength(1);
        expect(world.runtime.status()).toEqual([]);
      }));
  });
}
