import { createDeferred } from '@switchyard/kernel';
import type { Link } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { behindSidecar, type SidecarClaims } from '../testing/fake-sidecar.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';

const version = (applicationId: string, metadataVersion: string) => ({
  applicationId,
  metadataVersion,
  codeVersion: '1',
});

function createRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  return { clock, log, ...createHarness({ clock, random: createSeededRandom(1), log }) };
}

describe('JobHostManager', () => {
  test('I1: calls at the same time start one JobHost', async () => {
    const { runtime, supply, dial } = createRun();
    const application = createApplication();
    const both = Promise.all([runtime.addApplication(application), runtime.addApplication(application)]);
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'a' }] });
    const [first, second] = await both;
    expect(first).toEqual(second);
    expect(supply.requests).toHaveLength(1);
    expect(runtime.status()).toHaveLength(1);
  });

  test('I1: another code version shares the JobHost, another metadata version does not', async () => {
    const { runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication({ definition: version('a', '1') }));
    createFakeWorker(dial('w1', version('a', '1')), { workerId: 'w1', functions: [{ name: 'f' }] });
    await added;
    const green = { ...version('a', '1'), codeVersion: '2' };
    const joined = runtime.addApplication(createApplication({ definition: green }));
    createFakeWorker(dial('w1-green', green), { workerId: 'w1-green', functions: [{ name: 'f' }] });
    expect(await joined).toMatchObject({
      key: 'a:1',
      versions: [
        { definition: version('a', '1'), weight: 100, state: 'active', workers: [{ workerId: 'w1' }] },
        { definition: green, weight: 0, state: 'active', workers: [{ workerId: 'w1-green' }] },
      ],
    });
    expect(runtime.status().map(({ key }) => key)).toEqual(['a:1']);
    const next = runtime.addApplication(createApplication({ definition: version('a', '2') }));
    expect(runtime.status().map(({ key }) => key)).toEqual(['a:1', 'a:2']);
    createFakeWorker(dial('w2', version('a', '2')), { workerId: 'w2', functions: [{ name: 'f' }] });
    expect(await next).toMatchObject({ key: 'a:2', state: 'active' });
  });

  test('I8: weights change as a whole or not at all, and create nothing', async () => {
    const { runtime, supply, dial } = createRun();
    const [blue, green] = ['blue', 'green'].map((codeVersion) => ({ ...version('a', '1'), codeVersion }));
    const status = () => runtime.status()[0]?.versions.map(({ weight }) => weight);
    for (const [workerId, definition] of [['w1', blue] as const, ['w2', green] as const]) {
      if (definition === undefined) continue;
      const added = runtime.addApplication(createApplication({ definition }));
      createFakeWorker(dial(workerId, definition), { workerId, functions: [{ name: 'f' }] });
      await added;
    }
    const requests = supply.requests.length;
    const share = (codeVersion: string, weight: number) => ({ metadataVersion: '1', codeVersion, weight });
    await runtime.setTraffic('a', [share('blue', 30), share('green', 70)]);
    expect(status()).toEqual([30, 70]);
    const wrong = runtime.setTraffic('a', [share('blue', 100), share('green', 100)]);
    await expect(wrong).rejects.toMatchObject({ code: 'TRAFFIC_WEIGHTS_INVALID' });
    expect([status(), supply.requests.length, runtime.status().length]).toEqual([[30, 70], requests, 1]);
  });

  test.each([
    ['a host.json of another version', { version: '1.0' }, 'HOST_JSON_VERSION'],
    ['a host.json with wrong values', { version: '2.0', functionTimeout: 'soon' }, 'HOST_JSON_INVALID'],
    ['a host.json that is no object', 'x', 'HOST_JSON_INVALID'],
  ])('I2: %s leaves nothing behind', async (_what, hostJson, code) => {
    const { runtime, supply, dial } = createRun();
    await expect(runtime.addApplication(createApplication({ hostJson }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining('/app/host.json'),
    });
    expect([runtime.status(), supply.requests]).toEqual([[], []]);
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'a' }] });
    expect(await added).toMatchObject({ state: 'active' });
  });

  test('I2: a host name that another app has leaves nothing behind', async () => {
    const { runtime } = createRun();
    runtime
      .addApplication(createApplication({ definition: version('a', '1'), hostNames: ['shop.example'] }))
      .catch(() => {});
    await expect(
      runtime.addApplication(createApplication({ definition: version('b', '1'), hostNames: ['SHOP.example'] })),
    ).rejects.toMatchObject({ code: 'APPLICATION_CONFLICT' });
    expect(runtime.status().map(({ key }) => key)).toEqual(['a:1']);
  });

  test('I3: workers of two apps never mix', async () => {
    const { clock, runtime, dial } = createRun();
    const added = [
      runtime.addApplication(createApplication({ definition: version('a', '1') })),
      runtime.addApplication(createApplication({ definition: version('b', '1') })),
    ];
    const ofB = createFakeWorker(dial('wb', version('b', '1')), { workerId: 'wb', functions: [{ name: 'fb' }] });
    const ofA = createFakeWorker(dial('wa', version('a', '1')), { workerId: 'wa', functions: [{ name: 'fa' }] });
    const [a, b] = await Promise.all(added);
    expect([a?.functions, b?.functions]).toMatchObject([[{ name: 'fa' }], [{ name: 'fb' }]]);
    expect([a?.workers, b?.workers]).toMatchObject([[{ workerId: 'wa' }], [{ workerId: 'wb' }]]);
    ofA.crash();
    await clock.settle();
    expect(runtime.status().map(({ state }) => state)).toEqual(['dormant', 'active']);
    expect(ofB.bodies('workerTerminate')).toEqual([]);
  });

  test('I3: a worker of an app that is not hosted is turned away, and so is one that was ended', async () => {
    const { clock, runtime, supply, dial, connect } = createRun();
    const lost = dial('w1', version('nobody', '1'));
    createFakeWorker(lost, { workerId: 'w1' });
    expect(await lost.closed).toMatchObject({ code: 5, message: expect.stringContaining("'nobody:1'") });
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w2'), {
      workerId: 'w2',
      functions: [{ name: 'a' }],
      script: { workerTerminate: () => undefined },
    });
    await added;
    const removed = runtime.removeApplication('sample:1', 1_000);
    await clock.settle();
    const again = connect();
    createFakeWorker(again, { workerId: 'w2' });
    expect(await again.closed).toMatchObject({ code: 9, message: expect.stringContaining('draining') });
    await clock.runUntil(removed);
    expect(supply.requests.at(-1)).toMatchObject({ count: 0 });
  });

  test('I3: a worker that was announced before its JobHost is taken over', async () => {
    const { runtime, supply, connect } = createRun();
    const application = createApplication();
    supply.expect('w1', application.definition);
    const added = runtime.addApplication(application);
    createFakeWorker(connect(), { workerId: 'w1', functions: [{ name: 'a' }] });
    expect(await added).toMatchObject({ workers: [{ workerId: 'w1', state: 'ready' }] });
  });

  test('I4: a newer version answers to the names of an app once it is ready, and not before', async () => {
    const { clock, runtime, dial } = createRun();
    const answering = (text: string) => ({
      functions: [{ name: 'f' }],
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: text } } }),
    });
    const ask = async (): Promise<string> =>
      (await call(runtime, '/api/f', { headers: { host: 'a.localhost' } }).reply).body;
    const first = runtime.addApplication(createApplication({ definition: version('a', '1') }));
    createFakeWorker(dial('w1', version('a', '1')), { workerId: 'w1', ...answering('old') });
    await first;
    const second = runtime.addApplication(createApplication({ definition: version('a', '2') }));
    expect(await ask()).toBe('old');
    createFakeWorker(dial('w2', version('a', '2')), { workerId: 'w2', ...answering('new') });
    await second;
    expect(await ask()).toBe('new');
    await clock.runUntil(runtime.removeApplication('a:1', 1_000));
    expect(await ask()).toBe('new');
    const third = runtime.addApplication(createApplication({ definition: version('a', '3') }));
    third.catch(() => {});
    await clock.runUntil(runtime.removeApplication('a:3', 1_000));
    expect(await ask()).toBe('new');
  });

  test('I4: when the newest version goes, the one before it answers again', async () => {
    const { clock, runtime, dial } = createRun();
    for (const metadataVersion of ['1', '2']) {
      const definition = version('a', metadataVersion);
      const added = runtime.addApplication(createApplication({ definition }));
      createFakeWorker(dial(`w${metadataVersion}`, definition), {
        workerId: `w${metadataVersion}`,
        functions: [{ name: 'f' }],
        onInvocation: () =>
          invocationSuccess({ returnValue: { data: { $case: 'string', value: `version ${metadataVersion}` } } }),
      });
      await added;
    }
    const ask = async (): Promise<string> =>
      (await call(runtime, '/api/f', { headers: { host: 'a.localhost' } }).reply).body;
    expect(await ask()).toBe('version 2');
    await clock.runUntil(runtime.removeApplication('a:2', 1_000));
    expect(await ask()).toBe('version 1');
  });

  test('I5: removing an unknown JobHost does nothing, and removing one harms no other', async () => {
    const { clock, runtime, dial } = createRun();
    await runtime.removeApplication('nobody:1', 1_000);
    const added = [
      runtime.addApplication(createApplication({ definition: version('a', '1') })),
      runtime.addApplication(createApplication({ definition: version('b', '1') })),
    ];
    createFakeWorker(dial('wa', version('a', '1')), { workerId: 'wa', functions: [{ name: 'f' }] });
    createFakeWorker(dial('wb', version('b', '1')), { workerId: 'wb', functions: [{ name: 'f' }] });
    await Promise.all(added);
    await clock.runUntil(runtime.removeApplication('a:1', 1_000));
    expect(runtime.status()).toMatchObject([{ key: 'b:1', state: 'active' }]);
  });

  describe('a standby version', () => {
    const event = [{ name: 'tick', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] }] as const;
    const saying = (text: string) => () =>
      invocationSuccess({ returnValue: { data: { $case: 'string', value: text } } });

    /** A first version on duty and a second one that stands by, both ready. */
    async function createTwo() {
      const run = createRun();
      const { runtime, dial } = run;
      const functions = [{ name: 'f' }, ...event];
      for (const [number, standby] of [
        ['1', false],
        ['2', true],
      ] as const) {
        const definition = version('a', number);
        const added = runtime.addApplication(createApplication({ definition }), { standby });
        const workerId = `w${number}`;
        createFakeWorker(dial(workerId, definition), {
          workerId,
          functions,
          onInvocation: saying(`version ${number}`),
        });
        await added;
      }
      const ask = async (): Promise<string> =>
        (await call(runtime, '/api/f', { headers: { host: 'a.localhost' } }).reply).body;
      return { ...run, ask };
    }

    test('I6: answers to no name and listens to nothing before it is promoted, also when it is alone', async () => {
      const { clock, runtime, kinds, ask } = await createTwo();
      expect(await ask()).toBe('version 1');
      expect(kinds.listeners).toHaveLength(1);
      await clock.runUntil(runtime.removeApplication('a:1', 1_000));
      expect((await call(runtime, '/api/f', { headers: { host: 'a.localhost' } }).reply).status).toBe(404);
      await runtime.promoteApplication('a:2');
      expect(await ask()).toBe('version 2');
    });

    test('I6: answers from the moment of its promotion, and listens when the others have stopped to', async () => {
      const { clock, runtime, kinds, ask } = await createTwo();
      const drained = createDeferred<void>();
      const [old] = kinds.listeners;
      if (old !== undefined) old.drain = () => drained.promise;
      const promoted = runtime.promoteApplication('a:2');
      expect(await ask()).toBe('version 2');
      await clock.settle();
      expect(kinds.listeners).toHaveLength(1);
      drained.resolve();
      await promoted;
      expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start', 'close'], ['start']]);
    });

    test('I6: does not wait for ever for what the others have begun', async () => {
      const { clock, runtime, kinds } = await createTwo();
      const [old] = kinds.listeners;
      if (old !== undefined) old.drain = () => new Promise(() => {});
      const promoted = runtime.promoteApplication('a:2');
      await clock.advance(1_999);
      expect(kinds.listeners).toHaveLength(1);
      await clock.advance(1);
      await promoted;
      expect(kinds.listeners[1]?.heard).toEqual(['start']);
    });

    test('I6: a version that was overtaken before its turn to listen never listens', async () => {
      const { clock, runtime, dial, kinds, ask } = await createTwo();
      const [old] = kinds.listeners;
      if (old !== undefined) old.drain = () => new Promise(() => {});
      const second = runtime.promoteApplication('a:2');
      const definition = version('a', '3');
      const added = runtime.addApplication(createApplication({ definition }), { standby: true });
      createFakeWorker(dial('w3', definition), {
        workerId: 'w3',
        functions: [{ name: 'f' }, ...event],
        onInvocation: saying('version 3'),
      });
      await added;
      const third = runtime.promoteApplication('a:3');
      await clock.advance(4_000);
      await Promise.all([second, third]);
      expect(await ask()).toBe('version 3');
      expect(kinds.listeners).toHaveLength(2);
    });

    test('one that is dismissed leaves the one on duty as it was; unknown ones are not promoted', async () => {
      const { clock, runtime, kinds, ask } = await createTwo();
      await clock.runUntil(runtime.removeApplication('a:2', 0));
      await runtime.promoteApplication('a:2');
      expect(await ask()).toBe('version 1');
      expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start']]);
      expect(runtime.status().map(({ key }) => key)).toEqual(['a:1']);
    });

    test('writes to a log of its own, its workers too', async () => {
      const { runtime, supply, dial, log } = createRun();
      const own = createMemoryLog();
      const definition = version('a', '1');
      runtime.addApplication(createApplication({ definition }), { standby: true, log: own }).catch(() => {});
      dial('w1', definition);
      supply.emit({ kind: 'console', workerId: 'w1', stream: 'stdout', line: 'hello' });
      supply.exit('w1', 1, ['it broke']);
      expect(own.records.map(({ message }) => message)).toEqual(
        expect.arrayContaining(['hello', expect.stringContaining('it broke')]),
      );
      expect(log.records.filter(({ fields }) => fields.applicationId === 'a' && fields.category)).toEqual([]);
    });

    test('callers who wait for a version that never comes up are served by the one that takes its place', async () => {
      const { clock, runtime, dial } = createRun();
      runtime.addApplication(createApplication({ definition: version('a', '1') })).catch(() => {});
      const { reply } = call(runtime, '/api/f', { headers: { host: 'a.localhost' } });
      const definition = version('a', '2');
      const added = runtime.addApplication(createApplication({ definition }), { standby: true });
      createFakeWorker(dial('w2', definition), {
        workerId: 'w2',
        functions: [{ name: 'f' }],
        onInvocation: saying('version 2'),
      });
      await added;
      await runtime.promoteApplication('a:2');
      await clock.runUntil(runtime.removeApplication('a:1', 1_000));
      expect(await reply).toMatchObject({ status: 200, body: 'version 2' });
    });
  });

  test('a JobHost that is being drained makes way for a new one of the same key', async () => {
    const { clock, runtime, dial } = createRun();
    const application = createApplication();
    const added = runtime.addApplication(application);
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'old' }],
      script: { workerTerminate: () => undefined },
    });
    await added;
    const removed = runtime.removeApplication('sample:1', 1_000);
    await clock.settle();
    const again = runtime.addApplication(application);
    createFakeWorker(dial('w2'), { workerId: 'w2', functions: [{ name: 'new' }] });
    expect(await again).toMatchObject({ functions: [{ name: 'new' }] });
    await clock.runUntil(removed);
    expect(runtime.status()).toMatchObject([{ state: 'active', functions: [{ name: 'new' }] }]);
  });

  test('an observer that throws harms nothing', async () => {
    const { runtime, dial, log } = createRun();
    runtime.watch(() => {
      throw new Error('deaf');
    });
    const seen: string[] = [];
    const unwatch = runtime.watch(({ state }) => seen.push(state));
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'a' }] });
    await added;
    unwatch();
    expect(seen).toContain('active');
    expect(log.withMessage('An observer of JobHosts failed.').length).toBeGreaterThan(0);
  });

  test('console lines go to the log with their app and worker', async () => {
    const { runtime, supply, dial, log } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    dial('w1');
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stdout', line: 'hello' });
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stderr', line: 'LanguageWorkerConsoleLog[warn] old' });
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stdout', line: 'azfuncjsonlog:{}' });
    const lines = log.records.filter(({ fields }) => fields.workerId === 'w1' && fields.applicationId === 'sample');
    expect(lines.map(({ level, message, fields }) => [level, message, fields.category])).toEqual([
      ['information', 'hello', 'Host.Function.Console'],
      ['warning', '[warn] old', 'Worker.Console'],
      ['information', 'azfuncjsonlog:{}', 'Host.Function.ToolingConsoleLog'],
    ]);
  });
});

describe('WorkerConnect', () => {
  const createFakeSidecar = (link: Link, claims: Omit<SidecarClaims, 'functions'>): void => {
    const functions = [{ name: 'f' }];
    const behind = behindSidecar(link, { ...claims, functions: functions.map(toRpcFunctionMetadata) });
    createFakeWorker(behind, { workerId: claims.workerId, functions });
  };
  const other = version('other', '1');

  test.each([
    ['an app that was never added', { application: other }, 5, "'other:1', which this Runtime does not host"],
    ['another version of the app', { application: version('sample', '2') }, 5, "'sample:2'"],
    ['another tenant', { tenantId: 'fabrikam' }, 7, 'another tenant'],
    ['a placeholder', { isPlaceholder: true }, 7, 'it is a placeholder'],
  ])('I7: %s is refused', async (_what, options, code, message) => {
    const { clock, runtime, connect } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    const link = connect();
    createFakeSidecar(link, { workerId: 'w1', ...options });
    expect(await link.closed).toMatchObject({ code, message: expect.stringContaining(message) });
    await clock.settle();
    expect(runtime.status()[0]?.workers).toEqual([]);
  });

  test('I7: a worker of another app is refused, and serves its own app on', async () => {
    const { clock, runtime, connect } = createRun();
    const both = [createApplication(), createApplication({ definition: other })].map((one) =>
      runtime.addApplication(one),
    );
    createFakeSidecar(connect(), { workerId: 'w1' });
    await both[0];
    const link = connect();
    createFakeSidecar(link, { workerId: 'w1', application: other, epoch: 2 });
    expect(await link.closed).toMatchObject({ code: 7 });
    await clock.settle();
    expect(runtime.status().map(({ workers }) => workers.length)).toEqual([1, 0]);
    both[1]?.catch(() => {});
  });
});
