import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createLooseService } from '../../domain/loose-service.ts';
import { ControlWorld } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';
import { runProbes } from './probe-runner.ts';

const minute = 60_000;
const no = { outcome: 'failed', message: 'no answer' } as const;

async function open(): Promise<ControlWorld> {
  const world = new ControlWorld();
  world.start();
  await world.commands.apply(shopManifest(), tester);
  await world.advance(3 * minute);
  return world;
}

describe('HealthWorker', () => {
  it('I1: rounds that find the same write nothing and tell nothing', async () => {
    const world = await open();
    expect(world.state.read('health', 'shop')).toMatchObject({ status: 'healthy' });
    const [writes, told] = [world.writes, world.state.told.length];
    await world.advance(20 * minute);
    expect([world.writes, world.state.told.length]).toEqual([writes, told]);
    await world.stop();
  });

  it('I2, I4: becomes unhealthy in seconds, alerts once, recovers, clears once', async () => {
    const world = await open();
    world.verdicts.set('shop', no);
    await world.advance(45_000);
    expect(world.state.read('health', 'shop')).toMatchObject({ status: 'unhealthy' });
    await world.advance(10 * minute);
    const alerts = () =>
      world.state.told.filter(({ eventType }) => eventType.startsWith('Alert')).map(({ eventType }) => eventType);
    expect(alerts()).toEqual(['AlertRaised']);
    world.verdicts.delete('shop');
    await world.advance(2 * minute);
    expect(world.state.read('health', 'shop')).toMatchObject({ status: 'healthy' });
    expect(alerts()).toEqual(['AlertRaised', 'AlertCleared']);
    await world.stop();
  });

  it('I2: a single bad round raises no alert', async () => {
    const world = await open();
    world.verdicts.set('shop', no);
    await world.advance(30_000);
    world.verdicts.delete('shop');
    const status = world.state.read('health', 'shop')?.status;
    await world.advance(5 * minute);
    if (status === 'degraded')
      expect(world.state.told.filter(({ eventType }) => eventType === 'AlertRaised')).toEqual([]);
    expect(world.state.read('health', 'shop')).toMatchObject({ status: 'healthy' });
    await world.stop();
  });

  it('I5: forgets an app that was deleted, and clears its alert; what a manifest names stays alarming', async () => {
    const world = await open();
    const of = { serviceId: 'mail', tenantId: 'acme', computeTarget: 'memory', version: '1' };
    await world.commands.ensureService(createLooseService(of), tester);
    for (const id of ['mail', 'shop']) world.verdicts.set(id, no);
    await world.advance(5 * minute);
    const states = () => world.state.all('alert').map(({ subject, state }) => [subject, state]);
    expect(states()).toEqual(
      expect.arrayContaining([
        ['mail', 'raised'],
        ['shop', 'raised'],
      ]),
    );
    for (const applicationId of ['mail', 'shop'])
      await world.commands.withdraw({ applicationId, tenantId: 'acme' }, tester);
    await world.advance(5 * minute);
    expect(states()).toEqual(
      expect.arrayContaining([
        ['mail', 'cleared'],
        ['shop', 'raised'],
      ]),
    );
    expect([world.state.read('serviceSpec', 'mail'), world.state.read('health', 'mail')]).toEqual([
      undefined,
      undefined,
    ]);
    const told = world.state.told.filter(({ eventType }) => eventType === 'AlertCleared');
    expect(told).toMatchObject([{ subject: 'mail', payload: { message: 'mail is there no more, as was asked' } }]);
    await world.stop();
  });

  it('I3: a probe that cannot be made leaves the status as it was', async () => {
    const world = await open();
    world.verdicts.set('shop', { outcome: 'unknown', message: 'no program' });
    await world.advance(10 * minute);
    expect(world.state.read('health', 'shop')).toMatchObject({ status: 'healthy' });
    await world.stop();
  });
});

describe('runProbes', () => {
  const probe = { kind: 'tcp', name: 'port', purpose: 'liveness', timeoutMs: 1_000, host: 'h', port: 1 } as const;
  const service = { serviceId: 'shop', computeTarget: 'memory' };
  const kindsOf = (
    ask: () => Promise<{ readonly outcome: 'passed' | 'failed' | 'unknown'; readonly message: string }>,
  ) => ({
    ...{ http: ask, tcp: ask, exec: ask, grpc: ask, target: ask },
  });

  it('tries three times before a probe counts as failed', async () => {
    let asked = 0;
    const kinds = kindsOf(async () => {
      asked += 1;
      return asked < 3 ? no : { outcome: 'passed', message: '' };
    });
    expect(await runProbes({ clock: new VirtualClock(), kinds }, service, [probe])).toMatchObject([
      { outcome: 'passed' },
    ]);
    expect(asked).toBe(3);
  });

  it('a probe that breaks is unknown, one without an answer has failed', async () => {
    const clock = new VirtualClock();
    const broken = kindsOf(() => Promise.reject(new Error('no such program')));
    expect(await runProbes({ clock, kinds: broken }, service, [probe])).toMatchObject([
      { outcome: 'unknown', message: 'no such program' },
    ]);
    const silent = runProbes({ clock, kinds: kindsOf(() => new Promise(() => {})) }, service, [probe]);
    await clock.advance(3_000);
    expect(await silent).toMatchObject([{ outcome: 'failed', message: 'no answer within 1000 ms' }]);
  });
});
