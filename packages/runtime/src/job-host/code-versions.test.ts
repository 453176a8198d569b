/** Several versions of an app beside each other. */
import type { ApplicationDefinition } from '@switchyard/model';
import {
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { RuntimeApplication, ScaleRules } from '../contract.ts';
import { defaultLimits } from '../limits.ts';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { createFleet } from '../testing/sample-fleet.ts';

const listening = { name: 'heard', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] } as const;
const functions = [{ name: 'hello' }, listening].map(toRpcFunctionMetadata);

function definitionOf(codeVersion: string, metadataVersion = '1'): ApplicationDefinition {
  return { applicationId: 'sample', metadataVersion, codeVersion };
}

function share(codeVersion: string, weight: number, metadataVersion = '1') {
  return { codeVersion, metadataVersion, weight };
}

function createRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const options = { limits: { ...defaultLimits, versionsPerJobHost: 3 } };
  const harness = createHarness({ clock, random: createSeededRandom(1), log, options });
  const { runtime, kinds } = harness;
  const fleet = createFleet(harness, clock, {
    worker: ({ codeVersion }) => ({
      onInvocation: () =>
        invocationSuccess({ returnValue: { data: { $case: 'string', value: codeVersion } } } as const),
    }),
  });
  const applicationOf = (definition: ApplicationDefinition, given: Partial<RuntimeApplication> = {}) => {
    const scale: ScaleRules = { alwaysReady: 0, idleMs: 60_000 };
    const index = { functions, useDefaultIndexing: false };
    return createApplication({ definition, index, scale, ...given, settings: {} });
  };
  const add = (definition: ApplicationDefinition, given?: Partial<RuntimeApplication>) =>
    clock.runUntil(runtime.addApplication(applicationOf(definition, given)));
  /** Which versions answer a row of requests. */
  const answers = async (count: number, headers: (index: number) => Record<string, string> = () => ({})) => {
    const calls = Array.from({ length: count }, (_, index) => call(runtime, '/api/hello', { headers: headers(index) }));
    const replies = await clock.runUntil(Promise.all(calls.map(({ reply }) => reply)));
    expect(replies.map(({ status }) => status)).toEqual(calls.map(() => 200));
    return replies.map(({ body }) => body);
  };
  const event = () => ({
    data: { data: { $case: 'string', value: 'x' } } as const,
    metadata: new Map(),
    reason: 'test',
  });
  return { clock, log, runtime, kinds, fleet, add, answers, event, supply: harness.supply };
}

const count = (values: readonly string[], wanted: string): number => values.filter((value) => value === wanted).length;

describe('code versions', () => {
  test('a new code version joins the JobHost and gets nothing until weights are set', async () => {
    const { runtime, add, answers, fleet } = createRun();
    await add(definitionOf('blue'));
    expect(await add(definitionOf('green'))).toMatchObject({
      key: 'sample:1',
      versions: [
        { definition: definitionOf('blue'), weight: 100 },
        { definition: definitionOf('green'), weight: 0, state: 'dormant' },
      ],
    });
    expect(count(await answers(20), 'blue')).toBe(20);
    expect([runtime.status().length, fleet.wishOf(definitionOf('green'))]).toEqual([1, 0]);
  });

  test('weights split requests and events exactly, at 0 and at 100 too', async () => {
    const { clock, runtime, kinds, add, answers, fleet, event } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('blue', 80), share('green', 20)]);
    expect(count(await answers(100), 'green')).toBe(20);
    const events = Array.from({ length: 100 }, () => kinds.listeners[0]?.context.invoke(event()));
    const outcomes = await clock.runUntil(Promise.all(events));
    expect(outcomes.every((outcome) => outcome?.kind === 'succeeded')).toBe(true);
    const [blue, green] = fleet.workers.map((worker) => worker.bodies('invocationRequest').length);
    expect([blue, green]).toEqual([160, 40]);
    await runtime.setTraffic('sample', [share('green', 100)]);
    expect(count(await answers(50), 'green')).toBe(50);
    expect(runtime.status()[0]?.versions.map(({ weight }) => weight)).toEqual([0, 100]);
  });

  test('a rollback creates nothing: no JobHost, no worker, no listener', async () => {
    const { runtime, kinds, add, answers, fleet, supply } = createRun();
    await add(definitionOf('blue'));
    await answers(1);
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('green', 100)]);
    await answers(1);
    const before = [fleet.workers.length, kinds.listeners.length, runtime.status().length, supply.requests.length];
    await runtime.setTraffic('sample', [share('blue', 100)]);
    expect(count(await answers(10), 'blue')).toBe(10);
    expect([fleet.workers.length, kinds.listeners.length, runtime.status().length, supply.requests.length]).toEqual(
      before,
    );
  });

  test('callers keep their version while the weights stay, told apart by a header or by their address', async () => {
    const { runtime, add, answers } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('blue', 50), share('green', 50)], { stickyBy: { header: 'X-Session' } });
    const session = (index: number) => ({ 'x-session': `s${index % 20}` });
    const first = await answers(20, session);
    expect(await answers(20, session)).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['blue', 'green']));
    await runtime.setTraffic('sample', [share('blue', 50), share('green', 50)], { stickyBy: 'address' });
    expect(new Set(await answers(10)).size).toBe(1);
  });

  test('weights that cannot be used change nothing', async () => {
    const { runtime, add, answers } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('blue', 50), share('green', 50)]);
    for (const [shares, code] of [
      [[share('blue', 60), share('green', 30)], 'TRAFFIC_WEIGHTS_INVALID'],
      [[share('blue', 50), share('pink', 50)], 'TRAFFIC_VERSION_UNKNOWN'],
    ] as const) {
      await expect(runtime.setTraffic('sample', shares)).rejects.toMatchObject({ code });
    }
    await expect(runtime.setTraffic('nobody', [share('blue', 100)])).rejects.toMatchObject({
      code: 'TRAFFIC_VERSION_UNKNOWN',
      message: expect.stringContaining('Its versions: none'),
    });
    expect(count(await answers(100), 'green')).toBe(50);
  });

  test('names of another app change nothing either', async () => {
    const { runtime, add, answers } = createRun();
    await add({ ...definitionOf('x'), applicationId: 'other' }, { hostNames: ['shop.example'] });
    await add(definitionOf('blue'));
    await add(definitionOf('green'), { hostNames: ['shop.example'] });
    await expect(runtime.setTraffic('sample', [share('green', 100)])).rejects.toMatchObject({
      code: 'APPLICATION_CONFLICT',
    });
    expect(count(await answers(10), 'blue')).toBe(10);
  });

  test('the app answers to the names of the version with most of its traffic', async () => {
    const { clock, runtime, add } = createRun();
    await add({ ...definitionOf('x'), applicationId: 'other' });
    await add(definitionOf('blue'));
    await add(definitionOf('green'), { hostNames: ['shop.example'] });
    const ask = () => clock.runUntil(call(runtime, '/api/hello', { headers: { host: 'shop.example' } }).reply);
    expect((await ask()).status).toBe(404);
    await runtime.setTraffic('sample', [share('blue', 10), share('green', 90)]);
    expect((await ask()).status).toBe(200);
  });

  test('weights of another metadata version hand over between JobHosts', async () => {
    const { clock, runtime, kinds, add, answers } = createRun();
    await add(definitionOf('blue'));
    const red = definitionOf('red', '2');
    await clock.runUntil(
      runtime.addApplication(
        createApplication({
          definition: red,
          index: { functions, useDefaultIndexing: false },
          scale: { alwaysReady: 0, idleMs: 60_000 },
        }),
        { standby: true },
      ),
    );
    expect(runtime.status().map(({ versions }) => versions.map(({ weight }) => weight))).toEqual([[100], [0]]);
    expect(count(await answers(5), 'blue')).toBe(5);
    await expect(runtime.setTraffic('sample', [share('blue', 50), share('red', 50, '2')])).rejects.toMatchObject({
      code: 'TRAFFIC_METADATA_MIXED',
    });
    await clock.runUntil(runtime.setTraffic('sample', [share('blue', 0), share('red', 100, '2')]));
    expect(count(await answers(5), 'red')).toBe(5);
    expect(runtime.status().map(({ versions }) => versions.map(({ weight }) => weight))).toEqual([[0], [100]]);
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start', 'drain', 'close'], ['start']]);
    await clock.runUntil(runtime.removeVersion(definitionOf('blue'), 1_000));
    expect(runtime.status().map(({ key }) => key)).toEqual(['sample:2']);
    expect(count(await answers(5), 'red')).toBe(5);
  });

  test('under continuous load a shift and the end of the old version lose nothing', async () => {
    const { clock, runtime, add } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    const replies: Promise<{ readonly status: number; readonly body: string }>[] = [];
    const ask = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        replies.push(
          call(runtime, '/api/hello').reply,
          call(runtime, '/api/hello', { method: 'POST', body: 'x' }).reply,
        );
        await clock.advance(3);
      }
    };
    await ask(5);
    for (const weight of [10, 50, 100]) {
      await runtime.setTraffic('sample', [share('blue', 100 - weight), share('green', weight)]);
      await ask(10);
    }
    const removed = runtime.removeVersion(definitionOf('blue'), 10_000);
    await ask(10);
    await clock.runUntil(removed);
    await ask(5);
    const all = await clock.runUntil(Promise.all(replies));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(runtime.status()[0]?.versions).toMatchObject([{ definition: definitionOf('green'), weight: 100 }]);
  });

  test('a version with traffic is not taken out, an unknown one is harmless, the last one takes its JobHost along', async () => {
    const { clock, runtime, add, answers } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('blue', 90), share('green', 10)]);
    await expect(runtime.removeVersion(definitionOf('green'), 1_000)).rejects.toMatchObject({
      code: 'TRAFFIC_VERSION_IN_USE',
      message: expect.stringContaining('still gets 10 %'),
    });
    await runtime.removeVersion(definitionOf('pink'), 1_000);
    await runtime.removeVersion(definitionOf('blue', '9'), 1_000);
    expect(count(await answers(10), 'green')).toBe(1);
    await runtime.setTraffic('sample', [share('blue', 100)]);
    await runtime.removeVersion(definitionOf('green'), 1_000);
    await clock.runUntil(runtime.removeVersion(definitionOf('blue'), 1_000));
    expect(runtime.status()).toEqual([]);
  });

  test('workers of a version that was taken out are let in no more', async () => {
    const { clock, runtime, add, answers, fleet, supply } = createRun();
    await add(definitionOf('blue'));
    await add(definitionOf('green'));
    await runtime.setTraffic('sample', [share('green', 100)]);
    await answers(1);
    await runtime.setTraffic('sample', [share('blue', 100)]);
    await clock.runUntil(runtime.removeVersion(definitionOf('green'), 1_000));
    await clock.advance(1_000);
    expect([fleet.alive, fleet.wishOf(definitionOf('green'))]).toEqual([0, 0]);
    expect(supply.released.at(-1)).toMatchObject({ reason: 'application-stopped' });
  });

  test('a JobHost takes a limited number of versions', async () => {
    const { add } = createRun();
    for (const code of ['a', 'b', 'c']) await add(definitionOf(code));
    await expect(add(definitionOf('d'))).rejects.toMatchObject({
      code: 'APPLICATION_VERSION_LIMIT',
      message: expect.stringContaining('has 3 code versions'),
    });
  });

  test('a JobHost that is added again while it ends has its workers when the old one is gone', async () => {
    const { clock, runtime, add, answers, fleet } = createRun();
    await add(definitionOf('blue'));
    await answers(1);
    const removed = runtime.removeApplication('sample:1', 1_000);
    await add(definitionOf('blue'));
    const asked = answers(3);
    await clock.settle();
    expect(count(await asked, 'blue')).toBe(3);
    await removed;
    await clock.advance(100);
    expect([fleet.wishOf(definitionOf('blue')), runtime.status().length]).toEqual([1, 1]);
    expect(count(await answers(3), 'blue')).toBe(3);
  });
});
