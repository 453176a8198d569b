import { describe, expect, it } from 'vitest';
import { ControlWorld, type WorldOptions } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';
import { settingsEntryOf, toValuesText } from './change-settings.ts';

const minute = 60_000;

async function open(options: WorldOptions = {}): Promise<ControlWorld> {
  const world = new ControlWorld(options);
  world.start();
  await world.commands.apply(shopManifest({ values: { COLOUR: 'red' } }), tester);
  await world.advance(3 * minute);
  return world;
}

let count = 0;

async function ask(world: ControlWorld, set: Record<string, string>, remove: readonly string[] = []): Promise<string> {
  count += 1;
  const requestId = `shop.${count}`;
  const of = { serviceId: 'shop', tenantId: 'acme', environmentId: 'acme.default', computeTarget: 'memory' };
  if (Object.keys(set).length > 0)
    await world.vault.keep(
      settingsEntryOf({ tenantId: 'acme', requestId }),
      toValuesText(new Map(Object.entries(set))),
    );
  await world.commands.changeSettings(requestId, { ...of, set: Object.keys(set), remove: [...remove] }, tester);
  await world.advance(1_000);
  return requestId;
}

const running = (world: ControlWorld) => Object.fromEntries(world.target.services.get('shop')?.running ?? []);
const answerOf = (world: ControlWorld, requestId: string) => world.state.read('settingsRequest', requestId);

describe('settings that somebody asks to be changed', () => {
  it('come to what runs, in the order in which they were asked for, each once', async () => {
    const world = await open();
    const first = await ask(world, { SIZE: 'small', SHAPE: 'round' });
    const second = await ask(world, { SIZE: 'large' }, ['SHAPE']);
    expect(running(world)).toEqual({ COLOUR: 'red', SIZE: 'large' });
    for (const requestId of [first, second])
      expect(answerOf(world, requestId)).toMatchObject({ state: 'applied', mode: 'reloaded', createdBy: 'ann' });
    const changes = world.target.changes.length;
    await world.advance(30 * minute);
    expect(world.target.changes).toHaveLength(changes);
    await world.stop();
  });

  it('are told as not in effect when they cannot be read back, and not tried again', async () => {
    const world = await open();
    const { readSettings } = world.target;
    world.target.readSettings = async () => new Map();
    const requestId = await ask(world, { SIZE: 'small' });
    expect(answerOf(world, requestId)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('other values of SIZE'),
    });
    world.target.readSettings = readSettings;
    const changes = world.target.changes.length;
    await world.advance(30 * minute);
    expect(world.target.changes.slice(changes).filter((change) => change.includes('SIZE'))).toEqual([]);
    await world.stop();
  });

  it('leave no value behind: not in a record, an event or the vault', async () => {
    const world = await open();
    const requestId = await ask(world, { PASSWORD: 'hunter-two-42' });
    expect(running(world).PASSWORD).toBe('hunter-two-42');
    const told = JSON.stringify([world.state.told, world.spans, world.state.all('settingsRequest')]);
    expect(told).toContain('PASSWORD');
    expect(told).not.toContain('hunter-two-42');
    expect(await world.vault.read(settingsEntryOf({ tenantId: 'acme', requestId }))).toBeUndefined();
    await world.stop();
  });

  it('that a configuration has otherwise are drift, found by the event and not by its timer', async () => {
    const world = await open();
    const requestId = await ask(world, { COLOUR: 'blue' });
    const trace = answerOf(world, requestId)?.trace;
    const found = world.state.told.find(({ eventType }) => eventType === 'RuntimeDriftDetected');
    expect(found).toMatchObject({ traceId: trace?.traceId, payload: { path: 'settings/COLOUR' } });
    await world.stop();
  });

  it('come to what runs by a timer when the event is lost', async () => {
    const world = await open({
      delaysOf: ({ eventType }) => (eventType === 'SettingsChangeRequested' ? [] : [0]),
    });
    const requestId = await ask(world, { SIZE: 'small' });
    expect(answerOf(world, requestId)?.state).toBe('requested');
    await world.advance(2 * minute);
    expect([answerOf(world, requestId)?.state, running(world).SIZE]).toEqual(['applied', 'small']);
    await world.stop();
  });
});
