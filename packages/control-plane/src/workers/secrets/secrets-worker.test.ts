import type { SecretBinding, SecretRotation } from '@switchyard/protocol/control-api';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { ControlWorld, type WorldOptions } from '../../testing/control-world.ts';
import { shopManifest, tester } from '../../testing/world-manifest.ts';
import { credentialOf, planRotation } from './rotation-plan.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const secrets = [{ id: 'db', setting: 'DB', graceMs: 10 * minute, rotateEveryMs: 30 * day }];
const values = { DB: { secret: 'db' } };

async function open(options: WorldOptions = {}): Promise<ControlWorld> {
  const world = new ControlWorld(options);
  world.start();
  await world.commands.apply(shopManifest({ values, secrets }), tester);
  await world.advance(5 * minute);
  return world;
}

const rotation = (world: ControlWorld) => world.state.read('secretRotation', 'db');
const running = (world: ControlWorld) => world.target.services.get('shop')?.running.get('DB');
const read = (world: ControlWorld, version: number) => world.vault.read({ tenantId: 'acme', name: 'db', version });

describe('SecretsWorker', () => {
  it('I2: gives the services the new value, and only then takes the old one away', async () => {
    const world = await open();
    expect(rotation(world)).toMatchObject({ state: 'idle', version: 1 });
    const first = running(world);
    await world.commands.rotate('db', tester);
    await world.advance(minute);
    expect(rotation(world)).toMatchObject({ state: 'retiring', version: 2 });
    expect(running(world)).not.toBe(first);
    expect(running(world)).toBe((await read(world, 2))?.reveal());
    expect((await read(world, 1))?.reveal()).toBe(first);
    await world.advance(11 * minute);
    expect(await read(world, 1)).toBeUndefined();
    expect(rotation(world)).toMatchObject({ state: 'idle', version: 2 });
    const told = world.state.told.map(({ eventType }) => eventType).filter((type) => type.startsWith('Secret'));
    expect(told).toEqual([
      ...['SecretRotationRequested', 'SecretRotated', 'SecretRotationRequested', 'SecretRotated', 'SecretRetired'],
    ]);
    await world.stop();
  });

  it('rotates by its schedule', async () => {
    const world = await open({ workers: ['secrets'] });
    await world.advance(31 * day);
    expect(rotation(world)).toMatchObject({ version: 2 });
    await world.stop();
  });

  it('I1: a crash after each write makes no second value and loses none', async () => {
    const undisturbed = await open();
    const from = undisturbed.writes;
    await undisturbed.commands.rotate('db', tester);
    await undisturbed.advance(20 * minute);
    const until = undisturbed.writes;
    const made = undisturbed.vault.seen.size;
    await undisturbed.stop();
    expect(until - from).toBeGreaterThan(5);
    for (let crashAfter = from + 1; crashAfter <= until; crashAfter += 1) {
      const world = await open({ crashAfter });
      await world.commands.rotate('db', tester);
      await world.advance(20 * minute);
      expect(world.vault.seen.size).toBe(made);
      expect(rotation(world)).toMatchObject({ state: 'idle', version: 2 });
      expect(running(world)).toBe((await read(world, 2))?.reveal());
      await world.stop();
    }
  });

  it('I3: the old value stays in use while the new one does not work; an alert tells of it, and ends with it', async () => {
    const world = await open();
    const first = running(world);
    const apply = world.target.applySettings.bind(world.target);
    world.target.applySettings = () => Promise.reject(new Error('the service is away'));
    await world.commands.rotate('db', tester);
    await world.advance(10 * minute);
    expect(running(world)).toBe(first);
    expect((await read(world, 1))?.reveal()).toBe(first);
    expect(rotation(world)).toMatchObject({ version: 1, state: 'binding' });
    expect(world.state.read('alert', 'secret-rotation/db')).toMatchObject({ state: 'raised' });
    expect(world.state.told.filter(({ eventType }) => eventType === 'AlertRaised')).toHaveLength(1);
    world.target.applySettings = apply;
    await world.advance(15 * minute);
    expect(world.state.read('alert', 'secret-rotation/db')).toMatchObject({ state: 'cleared' });
    expect(rotation(world)).toMatchObject({ state: 'idle', version: 2, failures: 0 });
    await world.stop();
  });

  it('I2: an old credential that a service still needs stays until it has restarted', async () => {
    const world = await open({ canReload: false });
    await world.commands.rotate('db', tester);
    await world.advance(20 * minute);
    expect(running(world)).toBe((await read(world, 2))?.reveal());
    expect(rotation(world)).toMatchObject({ state: 'idle', version: 2 });
    await world.stop();
  });

  it('I4: no value stands in a record, an event, a span, a dead letter or a log line of a full run', async () => {
    const log = createMemoryLog();
    const world = await open({ log });
    await world.commands.rotate('db', tester);
    const apply = world.target.applySettings.bind(world.target);
    world.target.applySettings = () => Promise.reject(new Error('away'));
    await world.advance(10 * minute);
    world.target.applySettings = apply;
    const shop = world.target.services.get('shop');
    await world.advance(minute);
    // A drift of the very setting.
    shop?.running.set('DB', 'something else');
    await world.advance(30 * minute);
    await world.stop();
    const said = JSON.stringify([world.state.told, world.spans, world.deadLetters, log.records]) + world.state.dump();
    expect(world.vault.seen.size).toBe(2);
    for (const value of world.vault.seen) expect(said).not.toContain(value);
    expect(said).toContain('settings/DB');
  });
});

describe('planRotation', () => {
  const binding: SecretBinding = {
    ...{ secretBindingId: 'db', tenantId: 'acme', environmentId: 'e', serviceIds: [], settingName: 'DB' },
    target: { kind: 'generated', connection: '', credentials: ['a', 'b'] },
    ...{ rotateEveryMs: 1_000_000, graceMs: 100 },
  };
  const idle: SecretRotation = {
    ...{ secretBindingId: 'db', tenantId: 'acme', environmentId: 'e', state: 'idle', version: 3 },
    ...{ rotatedAt: 0, failures: 0, restarts: [] },
  };
  const calm = { isRequested: false, isTenantBusy: false };

  it.each([
    ['the first time', undefined, calm, 0, { kind: 'begin', version: 1 }],
    ['not due yet', idle, calm, 900_000, { kind: 'wait' }],
    ['due', idle, calm, 1_000_000, { kind: 'begin', version: 4 }],
    ['asked for', idle, { ...calm, isRequested: true }, 1, { kind: 'begin', version: 4 }],
    [
      'another one of the tenant is under way',
      idle,
      { isRequested: true, isTenantBusy: true },
      1,
      { kind: 'wait', untilMs: 10_001 },
    ],
    ['creating', { ...idle, state: 'creating', pendingVersion: 4 }, calm, 1, { kind: 'create', version: 4 }],
    ['binding', { ...idle, state: 'binding', pendingVersion: 4 }, calm, 1, { kind: 'bind', version: 4 }],
    ['verifying', { ...idle, state: 'verifying', pendingVersion: 4 }, calm, 1, { kind: 'verify', version: 4 }],
    [
      'within the grace',
      { ...idle, state: 'retiring', version: 4, retireAt: 50 },
      calm,
      49,
      { kind: 'wait', untilMs: 50 },
    ],
    [
      'after the grace',
      { ...idle, state: 'retiring', version: 4, retireAt: 50 },
      calm,
      50,
      { kind: 'retire', version: 3 },
    ],
  ] as const)('%s', (_, given, of, nowMs, action) => {
    expect(planRotation(binding, given, of, nowMs)).toMatchObject(action);
  });

  it('lets the two credentials take turns', () => {
    expect([1, 2, 3, 4].map((version) => credentialOf(binding, version))).toEqual(['a', 'b', 'a', 'b']);
  });
});
