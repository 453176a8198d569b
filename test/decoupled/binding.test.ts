import { invocationSuccess } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { describeBinding } from './binding-contract.ts';
import { openAttachedBinding, openClassicBinding, openLateBinding, openMovedBinding } from './binding-worlds.ts';
import { createHelloApplication } from './hello-application.ts';

describeBinding('classic dial', openClassicBinding);
describeBinding('late binding', openLateBinding);
describeBinding('attached binding', openAttachedBinding);
describeBinding('attached elsewhere, moved with the app', openMovedBinding);

describe.each([
  ['late', openLateBinding],
  ['attached', openAttachedBinding],
])('%s binding behind a sidecar', (_name, open) => {
  test('a link that is cut comes back to the same worker within 200 ms', async () => {
    const world = open({});
    const { clock, runtime, fleet } = world;
    fleet.options = {
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: 'still me' } } } as const),
    };
    await clock.runUntil(runtime.addApplication(createHelloApplication()));
    const [before] = runtime.status()[0]?.workers ?? [];
    const linksBefore = world.runtimeLinks.length;
    const cutMs = clock.monotonic();
    world.runtimeLinks[0]?.cancel({ code: 14, message: 'cut' });
    await clock.settle();
    while (runtime.status()[0]?.workers[0]?.state !== 'ready') await clock.advance(1);
    expect(clock.monotonic() - cutMs).toBeLessThan(200);
    expect(runtime.status()[0]?.workers).toEqual([before]);
    expect(await world.ask('/api/hello')).toEqual({ status: 200, body: 'still me' });
    expect(world.runtimeLinks).toHaveLength(linksBefore + 1);
    await clock.runUntil(world.close());
  });
});

describe('late binding alone', () => {
  test('a placeholder has seen nothing of an app before it is assigned', async () => {
    const world = openLateBinding({ SECRET: 'of the customer' });
    await world.clock.runUntil(world.runtime.addApplication(createHelloApplication()));
    await world.clock.advance(1_000);
    const [serving, spare] = world.fleet.workers;
    expect(serving?.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
    expect(spare?.received.map(({ content }) => content?.$case)).toEqual(['workerInitRequest']);
    expect(JSON.stringify(world.fleet.workers.map(({ launch }) => launch))).not.toContain('customer');
    expect(world.runtime.placeholders()).toEqual([]);
    await world.clock.runUntil(world.close());
  });
});

describe('attached binding alone', () => {
  test('a placeholder becomes the worker of an app on the stream that it has', async () => {
    const world = openAttachedBinding({});
    const { clock, runtime } = world;
    const adding = runtime.addApplication(createHelloApplication());
    await clock.runUntil(adding);
    await clock.advance(1_000);
    const [worker] = runtime.status()[0]?.workers ?? [];
    expect(worker).toMatchObject({ workerId: world.fleet.workers[0]?.workerId, state: 'ready' });
    // One stream for each worker, the spare one included.
    expect(world.runtimeLinks).toHaveLength(world.fleet.workers.length);
    expect(runtime.placeholders()).toMatchObject([
      { workerId: world.fleet.workers[1]?.workerId, state: 'placeholder' },
    ]);
    await clock.runUntil(world.close());
  });

  test('a worker whose app is on another Runtime leaves its own, and serves there', async () => {
    const world = openMovedBinding({});
    const { clock, runtime, elsewhere } = world;
    await clock.runUntil(runtime.addApplication(createHelloApplication()));
    await clock.advance(1_000);
    const waiting = elsewhere.placeholders().map(({ workerId }) => workerId);
    expect(waiting).toHaveLength(1);
    const definition = { applicationId: 'other', metadataVersion: 'm1', codeVersion: 'c1' };
    await clock.runUntil(runtime.addApplication(createHelloApplication(definition)));
    await clock.advance(1_000);
    const serving = runtime.status()[1]?.workers.map(({ workerId }) => workerId) ?? [];
    expect(waiting).toEqual(expect.arrayContaining(serving));
    expect(elsewhere.placeholders().map(({ workerId }) => workerId)).not.toEqual(expect.arrayContaining(serving));
    expect(runtime.placeholders()).toEqual([]);
    await clock.runUntil(world.close());
  });
});
