import { describe, expect, it } from 'vitest';
import { createDefaultEnvironment } from '../../domain/default-environment.ts';
import { ControlWorld } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';

const minute = 60_000;

async function open(): Promise<ControlWorld> {
  const world = new ControlWorld({ workers: ['inventory', 'deployment'] });
  world.start();
  await world.commands.apply(shopManifest(), tester);
  await world.advance(5 * minute);
  return world;
}

const updates = (world: ControlWorld) =>
  world.state.told.filter(({ eventType }) => eventType === 'RuntimeInventoryUpdated');

describe('InventoryWorker', () => {
  it('I1: sweeps that find the same write nothing and tell nothing', async () => {
    const world = await open();
    expect(world.state.read('service', 'shop')).toMatchObject({ version: 'v1', managed: true, missedSweeps: 0 });
    const [writes, told] = [world.writes, updates(world).length];
    await world.advance(30 * minute);
    expect([world.writes, updates(world).length]).toEqual([writes, told]);
    await world.stop();
  });

  it('I2: takes a service for gone after two sweeps, and back when it comes back', async () => {
    const world = await open();
    const shop = world.target.services.get('shop');
    world.target.services.delete('shop');
    await world.advance(minute + 1_000);
    expect(world.state.read('service', 'shop')).toMatchObject({ missedSweeps: 1, version: 'v1' });
    await world.advance(minute);
    expect(world.state.read('service', 'shop')).toMatchObject({ missedSweeps: 2, status: 'stopped', weights: [] });
    expect(updates(world).at(-1)?.payload).toMatchObject({ gone: ['shop'] });
    if (shop !== undefined) world.target.services.set('shop', shop);
    await world.advance(3 * minute);
    expect(world.state.read('service', 'shop')).toMatchObject({ missedSweeps: 0, status: 'running' });
    expect(updates(world).at(-1)?.payload).toMatchObject({ added: ['shop'] });
    await world.stop();
  });

  it('I2: a target that cannot tell makes nothing go', async () => {
    const world = await open();
    const list = world.target.list.bind(world.target);
    world.target.list = () => Promise.reject(new Error('429'));
    await world.advance(30 * minute);
    expect(world.state.read('service', 'shop')).toMatchObject({ missedSweeps: 0, status: 'running' });
    world.target.list = list;
    await world.stop();
  });

  it('I3: takes up what nobody has applied, in the environment of its tenant; nothing of a tenant that is unknown', async () => {
    const world = await open();
    await world.state.commit({ puts: [...createDefaultEnvironment('other')], removes: [], events: [] });
    await world.target.provision({ serviceId: 'stray', tenantId: 'other' }, 'x1');
    await world.target.provision({ serviceId: 'ghost', tenantId: 'nobody' }, 'x1');
    await world.advance(3 * minute);
    expect(world.state.read('service', 'stray')).toMatchObject({
      managed: false,
      environmentId: 'other.default',
      tenantId: 'other',
    });
    expect(world.state.read('service', 'ghost')).toBeUndefined();
    expect(updates(world).at(-1)).toMatchObject({ tenantId: 'other', environmentId: 'other.default' });
    await world.stop();
  });

  it('does not let the specification of one tenant take over the service of another', async () => {
    const world = await open();
    await world.state.commit({ puts: [...createDefaultEnvironment('other')], removes: [], events: [] });
    const shop = world.target.services.get('shop');
    if (shop !== undefined) world.target.services.set('shop', { ...shop, tenantId: 'other' });
    await world.advance(3 * minute);
    expect(world.state.read('service', 'shop')).toMatchObject({ tenantId: 'other', managed: false });
    await world.stop();
  });
});
