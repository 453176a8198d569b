import { manifestSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { ControlWorld, type WorldOptions } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';

const minute = 60_000;

async function open(options: WorldOptions = {}): Promise<ControlWorld> {
  const world = new ControlWorld(options);
  world.start();
  await world.commands.apply(shopManifest({ values: { COLOUR: 'red' } }), tester);
  await world.advance(3 * minute);
  return world;
}

const sync = (world: ControlWorld) => world.state.read('configurationSync', 'shop/settings');
const colour = (world: ControlWorld) => world.target.services.get('shop')?.running.get('COLOUR');

describe('ConfigurationWorker', () => {
  it('I1: brings a version to the running service without a restart, once', async () => {
    const world = await open();
    await world.commands.apply(shopManifest({ values: { COLOUR: 'blue' } }), tester);
    await world.advance(minute);
    expect(colour(world)).toBe('blue');
    expect(sync(world)).toMatchObject({ version: 2, mode: 'reloaded' });
    expect(world.target.services.get('shop')?.restarts).toBe(0);
    const changes = world.target.changes.length;
    await world.advance(30 * minute);
    expect(world.target.changes).toHaveLength(changes);
    await world.stop();
  });

  it('I1: publishes the same values once', async () => {
    const world = await open();
    await world.commands.apply(shopManifest({ values: { COLOUR: 'red' } }), tester);
    expect(world.state.read('configuration', 'settings')?.version).toBe(1);
    await world.stop();
  });

  it('I2: a version that cannot be read back has not arrived', async () => {
    const world = await open();
    const read = world.target.readSettings.bind(world.target);
    world.target.readSettings = async () => new Map();
    await world.commands.apply(shopManifest({ values: { COLOUR: 'blue' } }), tester);
    await world.advance(20 * minute);
    expect(sync(world)).toMatchObject({ version: 1, failure: 'version 2: it still has other values of COLOUR' });
    expect(world.deadLetters).toMatchObject([{ worker: 'configuration', reason: 'CONFIGURATION_NOT_APPLIED' }]);
    world.target.readSettings = read;
    await world.advance(5 * minute);
    expect(sync(world)).toMatchObject({ version: 2 });
    expect(sync(world)).not.toHaveProperty('failure');
    await world.stop();
  });

  it('I2: what waits for a restart says so, and the restart follows', async () => {
    const world = await open({ canReload: false });
    await world.commands.apply(shopManifest({ values: { COLOUR: 'blue' } }), tester);
    await world.advance(5 * minute);
    expect(sync(world)).toMatchObject({ version: 2, mode: 'restart-required' });
    expect(colour(world)).toBe('blue');
    expect(world.target.services.get('shop')?.restarts).toBeGreaterThan(0);
    await world.stop();
  });

  it('I3: one service that does not take it keeps no other from it', async () => {
    const world = new ControlWorld();
    world.start();
    const limits = { minReplicas: 1, maxReplicas: 2 };
    const service = (id: string) => ({
      id,
      target: 'memory',
      version: 'v1',
      gateMs: 0,
      limits,
      configuration: 'shared',
    });
    const manifest = (colour: string) =>
      manifestSchema.parse({
        ...{ apiVersion: 'switchyard.dev/v1', tenant: 'acme', services: ['a', 'b', 'c'].map(service) },
        configurations: [{ id: 'shared', values: { COLOUR: colour } }],
      });
    await world.commands.apply(manifest('red'), tester);
    await world.advance(5 * minute);
    const apply = world.target.applySettings.bind(world.target);
    const asked: string[] = [];
    world.target.applySettings = (of, settings) => {
      asked.push(of.serviceId);
      return of.serviceId === 'b' ? Promise.reject(new Error('b is away')) : apply(of, settings);
    };
    await world.commands.apply(manifest('blue'), tester);
    await world.advance(10 * minute);
    const versions = world.state.all('configurationSync').map(({ serviceId, version }) => `${serviceId} ${version}`);
    expect(versions).toEqual(['a 2', 'b 1', 'c 2']);
    expect(asked.filter((id) => id !== 'b')).toEqual(['a', 'c']);
    world.target.applySettings = apply;
    await world.advance(5 * minute);
    expect(world.state.read('configurationSync', 'b/shared')?.version).toBe(2);
    await world.stop();
  });

  it('I4: no value stands in an event, a span, a dead letter or a log line', async () => {
    const log = createMemoryLog();
    const world = new ControlWorld({ log });
    world.start();
    await world.commands.apply(shopManifest({ values: { COLOUR: 'crimson-9f2' } }), tester);
    world.target.readSettings = async () => new Map();
    await world.advance(20 * minute);
    const said = JSON.stringify([world.state.told, world.spans, world.deadLetters, log.records]);
    expect(said).not.toContain('crimson-9f2');
    await world.stop();
  });
});
