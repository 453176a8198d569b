import { invocationSuccess } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { describeBinding } from './binding-contract.ts';
import { openClassicBinding, openLateBinding } from './binding-worlds.ts';
import { createHelloApplication } from './hello-application.ts';

describeBinding('classic dial', openClassicBinding);
describeBinding('late binding', openLateBinding);

describe('late binding alone', () => {
  test('a link that is cut comes back to the same worker within 200 ms', async () => {
    const world = openLateBinding({});
    const { clock, runtime, fleet } = world;
    fleet.options = {
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: 'still me' } } } as const),
    };
    await clock.runUntil(runtime.addApplication(createHelloApplication()));
    const [before] = runtime.status()[0]?.workers ?? [];
    const cutMs = clock.monotonic();
    world.runtimeLinks[0]?.cancel({ code: 14, message: 'cut' });
    await clock.settle();
    while (runtime.status()[0]?.workers[0]?.state !== 'ready') await clock.advance(1);
    expect(clock.monotonic() - cutMs).toBeLessThan(200);
    expect(runtime.status()[0]?.workers).toEqual([before]);
    expect(await world.ask('/api/hello')).toEqual({ status: 200, body: 'still me' });
    expect(world.runtimeLinks).toHaveLength(2);
    await clock.runUntil(world.close());
  });

  test('a placeholder has seen nothing of an app before it is assigned', async () => {
    const world = openLateBinding({ SECRET: 'of the customer' });
    await world.clock.runUntil(world.runtime.addApplication(createHelloApplication()));
    await world.clock.advance(1_000);
    const [serving, spare] = world.fleet.workers;
    expect(serving?.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
    expect(spare?.received.map(({ content }) => content?.$case)).toEqual(['workerInitRequest']);
    expect(JSON.stringify(world.fleet.workers.map(({ launch }) => launch))).not.toContain('customer');
    await world.clock.runUntil(world.close());
  });
});
