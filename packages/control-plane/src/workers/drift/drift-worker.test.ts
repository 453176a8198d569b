import { describe, expect, it } from 'vitest';
import { ControlWorld } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';

const minute = 60_000;

async function open(values: Readonly<Record<string, unknown>> = { COLOUR: 'red' }): Promise<ControlWorld> {
  const world = new ControlWorld();
  world.start();
  await world.commands.apply(shopManifest({ values }), tester);
  await world.advance(6 * minute);
  return world;
}

const findings = (world: ControlWorld) => world.state.all('finding');
const detected = (world: ControlWorld) =>
  world.state.told.filter(({ eventType }) => eventType === 'RuntimeDriftDetected');

function drift(world: ControlWorld, version: string): void {
  const shop = world.target.services.get('shop');
  if (shop !== undefined) shop.weights = [{ version, weight: 100 }];
}

describe('DriftWorker', () => {
  it('I1: finds a drift once, however often it looks', async () => {
    const world = await open();
    drift(world, 'v9');
    await world.advance(6 * minute);
    expect(findings(world)).toMatchObject([{ kind: 'version', state: 'open', desired: 'v1', actual: 'v9' }]);
    const writes = world.writes;
    await world.advance(30 * minute);
    expect(world.writes).toBe(writes);
    expect(detected(world)).toHaveLength(1);
    await world.stop();
  });

  it('I2: resolves it when it is gone', async () => {
    const world = await open();
    drift(world, 'v9');
    await world.advance(6 * minute);
    drift(world, 'v1');
    await world.advance(6 * minute);
    expect(findings(world)).toMatchObject([{ state: 'resolved' }]);
    expect(world.state.told.filter(({ eventType }) => eventType === 'RuntimeDriftResolved')).toHaveLength(1);
    await world.stop();
  });

  it('I3: a deployment under way is no drift', async () => {
    const world = await open();
    await world.commands.deploy({ serviceId: 'shop', version: 'v2', gateMs: 10 * minute }, tester);
    await world.advance(30 * minute);
    expect(findings(world)).toEqual([]);
    await world.stop();
  });

  it('I4: an adopted drift is what is desired from then on', async () => {
    const world = await open();
    drift(world, 'v9');
    await world.advance(6 * minute);
    await world.commands.adopt(findings(world)[0]?.findingId ?? '', tester);
    await world.advance(12 * minute);
    expect(world.state.read('serviceSpec', 'shop')?.version).toBe('v9');
    expect(findings(world)).toMatchObject([{ state: 'resolved' }]);
    expect(detected(world)).toHaveLength(1);
    expect(world.target.services.get('shop')?.weights).toEqual([{ version: 'v9', weight: 100 }]);
    await world.stop();
  });

  it('I5: a setting that was changed by hand is found by its name, without its value', async () => {
    const world = await open();
    world.target.services.get('shop')?.running.set('COLOUR', 'ultramarine-77');
    await world.advance(6 * minute);
    expect(findings(world)).toMatchObject([{ kind: 'configuration', path: 'settings/COLOUR', state: 'open' }]);
    expect(JSON.stringify([findings(world), world.state.told])).not.toContain('ultramarine-77');
    await world.commands.remediate(findings(world)[0]?.findingId ?? '', tester);
    await world.advance(6 * minute);
    expect(world.target.services.get('shop')?.running.get('COLOUR')).toBe('red');
    expect(findings(world)).toMatchObject([{ state: 'resolved' }]);
    await world.stop();
  });
});
