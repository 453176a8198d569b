import { describe, expect, it } from 'vitest';
import { ControlWorld } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';

const minute = 60_000;
const scaling = {
  ...{ minReplicas: 1, maxReplicas: 5, metrics: [{ metric: 'queue', target: 10 }] },
  ...{ upCooldownMs: minute, downCooldownMs: minute, downStabilisationMs: 5 * minute },
};

async function open(more: Readonly<Record<string, unknown>> = {}): Promise<ControlWorld> {
  const world = new ControlWorld();
  world.start();
  world.demand.set('shop', 10);
  await world.commands.apply(shopManifest({ service: { scaling: { ...scaling, ...more } } }), tester);
  await world.advance(3 * minute);
  return world;
}

const limits = (world: ControlWorld) => world.target.services.get('shop')?.limits;
const applied = (world: ControlWorld) =>
  world.state.told.filter(({ eventType }) => eventType === 'ScalingPolicyApplied');

describe('ScalingWorker', () => {
  it('I1: is quiet at its target', async () => {
    const world = await open();
    const [writes, told] = [world.writes, applied(world).length];
    await world.advance(20 * minute);
    expect([world.writes, applied(world).length]).toEqual([writes, told]);
    await world.stop();
  });

  it('I3, I4: goes up at once, down after the wish has lasted, and never past its limits', async () => {
    const world = await open();
    world.demand.set('shop', 400);
    await world.advance(2 * minute);
    expect(limits(world)).toEqual({ minReplicas: 5, maxReplicas: 5 });
    world.demand.set('shop', 10);
    await world.advance(3 * minute);
    expect(limits(world)).toEqual({ minReplicas: 5, maxReplicas: 5 });
    await world.advance(5 * minute);
    expect(limits(world)).toEqual({ minReplicas: 1, maxReplicas: 5 });
    expect(applied(world).at(-1)?.payload).toMatchObject({ serviceId: 'shop', from: 5, to: 1 });
    await world.stop();
  });

  it('I2: keeps what there is when the measurements stop, or while the service is not well', async () => {
    const world = await open();
    world.demand.set('shop', 40);
    await world.advance(2 * minute);
    expect(limits(world)?.minReplicas).toBe(4);
    world.demand.delete('shop');
    await world.advance(20 * minute);
    expect(limits(world)?.minReplicas).toBe(4);
    world.verdicts.set('shop', { outcome: 'failed', message: 'no' });
    world.demand.set('shop', 1);
    await world.advance(20 * minute);
    expect(limits(world)?.minReplicas).toBe(4);
    await world.stop();
  });

  it('changes the throughput of a replica', async () => {
    const world = await open({ concurrency: 16 });
    expect(limits(world)).toMatchObject({ concurrency: 16 });
    await world.stop();
  });

  it('I3: does not flap when the demand goes up and down all the time', async () => {
    const world = await open();
    const before = applied(world).length;
    for (let time = 0; time < 30; time += 1) {
      world.demand.set('shop', time % 2 === 0 ? 50 : 10);
      await world.advance(minute);
    }
    expect(applied(world).length - before).toBeLessThanOrEqual(2);
    expect(limits(world)?.minReplicas).toBe(5);
    await world.stop();
  });
});
