/** Whatever is lost, doubled, swapped, late or cut off by a crash: the end is the same. */

import { manifestSchema } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { ControlWorld, type WorldOptions } from '../testing/control-world.ts';
import { settingsEntryOf, toValuesText } from './configuration/change-settings.ts';

const minute = 60_000;
const by = { subject: 'ann' };

function manifest(version: string, values: Readonly<Record<string, unknown>>) {
  return manifestSchema.parse({
    apiVersion: 'switchyard.dev/v1',
    tenant: 'acme',
    environment: { remediation: 'auto' },
    services: [
      {
        ...{ id: 'shop', target: 'memory', version, gateMs: 2_000, strategy: { kind: 'canary', steps: [20] } },
        ...{ configuration: 'shop-settings', secrets: ['shop-db'], limits: { minReplicas: 1, maxReplicas: 5 } },
        dependencies: ['stock'],
        scaling: { minReplicas: 1, maxReplicas: 5, metrics: [{ metric: 'queue', target: 10 }], downCooldownMs: minute },
      },
      { id: 'stock', target: 'memory', version: 's1', gateMs: 1_000, limits: { minReplicas: 1, maxReplicas: 2 } },
    ],
    configurations: [{ id: 'shop-settings', values: { ...values, DB: { secret: 'shop-db' } } }],
    secrets: [{ id: 'shop-db', setting: 'DB', graceMs: minute }],
  });
}

/** A day in the life of two services. */
async function live(options: WorldOptions): Promise<ControlWorld> {
  const world = new ControlWorld(options);
  world.start();
  await world.commands.apply(manifest('v1', { COLOUR: 'red' }), by);
  await world.advance(2 * minute);
  await world.commands.apply(manifest('v2', { COLOUR: 'blue' }), by);
  await world.advance(2 * minute);
  world.target.unhealthy.add('v3');
  await world.commands.deploy({ serviceId: 'stock', version: 's2' }, by);
  await world.advance(minute);
  world.demand.set('shop', 30);
  await world.commands.rotate('shop-db', by);
  await world.advance(3 * minute);
  const shares = [
    { version: 's2', weight: 60 },
    { version: 's1', weight: 40 },
  ];
  await world.commands.share({ serviceId: 'stock', shares, reason: 'traffic' }, by);
  await changeSettings(world, 'stock', { NOTE: 'hello' });
  await world.advance(2 * minute);
  // By hand, behind everybody's back.
  const stock = world.target.services.get('stock');
  if (stock !== undefined) stock.weights = [{ version: 's1', weight: 100 }];
  world.verdicts.set('shop', { outcome: 'failed', message: 'no answer' });
  await world.advance(2 * minute);
  world.verdicts.delete('shop');
  await world.advance(30 * minute);
  await world.stop();
  return world;
}

async function changeSettings(world: ControlWorld, serviceId: string, values: Record<string, string>): Promise<void> {
  const of = { serviceId, tenantId: 'acme', environmentId: 'acme.default', computeTarget: 'memory' };
  const requestId = `${serviceId}.1`;
  world.vault.place(settingsEntryOf({ tenantId: 'acme', requestId }), toValuesText(new Map(Object.entries(values))));
  await world.commands.changeSettings(requestId, { ...of, set: Object.keys(values), remove: [] }, by);
}

function byId(left: { readonly serviceId: string }, right: { readonly serviceId: string }): number {
  return left.serviceId < right.serviceId ? -1 : 1;
}

/** What counts in the end: nothing of when, how often and under which name. */
function endOf({ target, state, vault }: ControlWorld) {
  return {
    target: [...target.services.values()]
      .sort(byId)
      .map(({ serviceId, weights, limits, status, settings, running }) => ({
        ...{ serviceId, weights, limits, status },
        settings: [...settings.keys()].sort(),
        isRead: [...settings].every(([name, value]) => running.get(name) === value),
        secrets: [...settings.values()].filter((value) => vault.seen.has(value)).length,
        colour: settings.get('COLOUR'),
      })),
    deployments: [
      ...new Set(state.all('deployment').map((one) => `${one.serviceId} ${one.version} ${one.mode} ${one.state}`)),
    ].sort(),
    asked: state.all('settingsRequest').map(({ requestId, state: is, mode }) => ({ requestId, is, mode })),
    services: state.all('service').map(({ serviceId, version, limits, managed, missedSweeps }) => ({
      ...{ serviceId, version, limits, managed, missedSweeps },
    })),
    health: state.all('health').map(({ serviceId, status }) => ({ serviceId, status })),
    alerts: state.all('alert').map(({ alertId, state: is }) => ({ alertId, is })),
    syncs: state
      .all('configurationSync')
      .map(({ configurationId, version, failure }) => ({ configurationId, version, failure })),
    rotations: state.all('secretRotation').map(({ state: is, version, failures }) => ({ is, version, failures })),
    scaling: state.all('scalingState').map(({ replicas }) => replicas),
    requests: state.all('workRequest').length,
    open: state.all('finding').filter(({ state: is }) => is === 'open').length,
  };
}

const undisturbed = await live({});
const end = endOf(undisturbed);
const events = undisturbed.state.told.length;

describe('the undisturbed run', () => {
  it('comes to where everything is as it was asked for', () => {
    expect(end).toMatchObject({
      target: [
        { serviceId: 'shop', weights: [{ version: 'v2', weight: 100 }], isRead: true, secrets: 1, colour: 'blue' },
        { serviceId: 'stock', weights: [{ version: 's2', weight: 100 }], status: 'running' },
      ],
      health: [
        { serviceId: 'shop', status: 'healthy' },
        { serviceId: 'stock', status: 'healthy' },
      ],
      alerts: [{ alertId: 'health/shop', is: 'cleared' }],
      syncs: [{ configurationId: 'shop-settings', version: 2 }],
      rotations: [{ is: 'idle', version: 2, failures: 0 }],
      scaling: [3],
      requests: 0,
      open: 0,
    });
    expect(undisturbed.deadLetters).toEqual([]);
  });
  it('tells the whole story', () => {
    const types = new Set(undisturbed.state.told.map(({ eventType }) => eventType));
    for (const type of [
      ...['RuntimeDeploymentRequested', 'RuntimeDeploymentCompleted', 'ConfigurationPublished', 'ConfigurationSynced'],
      ...['SecretRotationRequested', 'SecretRotated', 'SecretRetired', 'HealthCheckCompleted', 'AlertRaised'],
      ...['AlertCleared', 'ScalingPolicyApplied', 'RuntimeInventoryUpdated', 'RuntimeDriftDetected'],
    ]) {
      expect(types).toContain(type);
    }
  });

  it('rests once there is nothing to do: no write, no event', async () => {
    const world = await live({});
    const [writes, told] = [world.writes, world.state.told.length];
    world.start();
    await world.advance(60 * minute);
    await world.stop();
    expect([world.writes, world.state.told.length]).toEqual([writes, told]);
  });
});

const indexes = Array.from({ length: events }, (_, index) => index);

describe.each([
  ['lost', []],
  ['doubled', [0, 0]],
  ['doubled much later', [0, 90_000]],
  ['late', [150_000]],
  // Long enough for what follows to come first.
  ['overtaken by the next ones', [4_000]],
] as const)('an event that is %s', (_, delays) => {
  it.each(indexes)('number %i', async (disturbed) => {
    const world = await live({ delaysOf: (_event, index) => (index === disturbed ? delays : [0]) });
    expect(endOf(world)).toEqual(end);
  });
});

describe('a crash after a write', () => {
  it.each(Array.from({ length: undisturbed.writes }, (_, at) => at + 1))('number %i', async (crashAfter) => {
    const world = await live({ crashAfter });
    expect(endOf(world)).toEqual(end);
  });
});
