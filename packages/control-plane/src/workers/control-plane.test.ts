import { silentLog, silentMeter } from '@switchyard/kernel';
import { manifestSchema, workerNames } from '@switchyard/protocol/control-api';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteBus } from '../bus/sqlite/sqlite-bus.ts';
import { controlTopic } from '../frame/store-state.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { createComputeTargets } from '../targets/compute-targets.ts';
import { createStoreVault } from '../targets/store-vault.ts';
import { MemoryTarget } from '../testing/memory-target.ts';
import type { AlertMessage } from './alerts/alert-sinks.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { readAppliedState } from './drift/desired-state.ts';
import type { ProbeVerdict } from './health/probe-runner.ts';
import { generatedTarget } from './secrets/rotation-target.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const by = { subject: 'ann' };

const manifest = manifestSchema.parse({
  apiVersion: 'switchyard.dev/v1',
  tenant: 'acme',
  services: [
    { id: 'shop', target: 'memory', version: 'v1', gateMs: 1_000, configuration: 'settings', secrets: ['db'] },
  ],
  configurations: [{ id: 'settings', values: { COLOUR: 'red', DB: { secret: 'db' } } }],
  secrets: [{ id: 'db', setting: 'DB' }],
});

async function open() {
  const clock = new VirtualClock();
  const random = createSeededRandom(7);
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  const bus = openSqliteBus({ clock, random, inbox: store.inbox }, { file: ':memory:' });
  const target = new MemoryTarget();
  const alerts: AlertMessage[] = [];
  const health = { verdict: { outcome: 'passed', message: '' } as ProbeVerdict };
  const verdictOf = async (): Promise<ProbeVerdict> => health.verdict;
  const sink = { refuses: 0 };
  const start = async (holder: string): Promise<ControlPlane> =>
    startControlPlane(
      {
        ...{ clock, random, log: silentLog, meter: silentMeter, store, bus, spans: { record: () => {} } },
        ports: {
          targets: createComputeTargets([target]),
          vault: createStoreVault({ store, random }, new Uint8Array(32).fill(9)),
          probes: { http: verdictOf, tcp: verdictOf, exec: verdictOf, grpc: verdictOf, target: verdictOf },
          telemetry: { read: async () => undefined },
          readDesired: readAppliedState,
          rotationTargets: { generated: generatedTarget, 'postgresql-user': generatedTarget },
        },
        alertSinks: [
          async (alert) => {
            sink.refuses -= 1;
            if (sink.refuses >= 0) throw new Error('not now');
            alerts.push(alert);
          },
        ],
      },
      { holder, workers: workerNames },
    );
  const plane = await start('one');
  closers.push(
    () => bus.close().then(() => store.close()),
    () => plane.stop(1_000),
  );
  return { clock, store, bus, target, alerts, health, sink, start, plane };
}

describe('startControlPlane', () => {
  it('I1: brings an applied manifest to the target over the real store and bus, and tells it in order', async () => {
    const { clock, store, bus, target, plane } = await open();
    const applied = await plane.commands.apply(manifest, by);
    expect(applied.changed).toContain('serviceSpec shop');
    await clock.advance(90_000);
    const shop = target.services.get('shop');
    expect(shop?.weights).toEqual([{ version: 'v1', weight: 100 }]);
    expect(shop?.running.get('COLOUR')).toBe('red');
    expect(shop?.running.get('DB')).toHaveLength(43);
    const told = (await store.events.list({ after: 0 })).map(({ envelope }) => envelope.eventType);
    expect(told).toContain('RuntimeDeploymentCompleted');
    expect(told).toContain('RuntimeInventoryUpdated');
    expect(told.indexOf('RuntimeDeploymentRequested')).toBeLessThan(told.indexOf('RuntimeDeploymentCompleted'));
    expect(await bus.deadLetters.count()).toBe(0);
    expect((await bus.depths()).every(({ queued }) => queued === 0)).toBe(true);
    expect(await store.audit.list()).toMatchObject([{ actor: 'ann', action: 'ApplyManifest' }]);
  });

  it('keeps the trace: every event of a deployment has the trace of its command', async () => {
    const { clock, store, plane } = await open();
    await plane.commands.apply(manifest, by);
    await clock.advance(125_000);
    const deployment = await plane.commands.deploy({ serviceId: 'shop', version: 'v2' }, by);
    await clock.advance(10_000);
    const events = await store.events.list({ after: 0, traceId: deployment.trace.traceId });
    expect(events.map(({ envelope }) => envelope.eventType)).toEqual(
      expect.arrayContaining(['RuntimeDeploymentRequested', 'RuntimeDeploymentCompleted', 'RuntimeInventoryUpdated']),
    );
    const completed = events.find(({ envelope }) => envelope.eventType === 'RuntimeDeploymentCompleted');
    const caused = events.filter(({ envelope }) => envelope.causationId === completed?.envelope.eventId);
    for (const { envelope } of caused)
      expect(envelope.causationDepth).toBe((completed?.envelope.causationDepth ?? 0) + 1);
  });

  it('refuses events of another tenant to the dead letters, and acts on nothing', async () => {
    const { clock, bus, target, plane } = await open();
    await plane.commands.apply(manifest, by);
    await clock.advance(90_000);
    const before = target.changes.length;
    const [deployment] = await plane.state.list('deployment');
    const envelope = {
      ...{
        eventId: 'evt-foreign',
        eventType: 'RuntimeDeploymentRequested',
        tenantId: 'evil',
        environmentId: 'acme.default',
      },
      ...{
        subject: 'shop',
        traceId: 'a'.repeat(32),
        correlationId: 'c',
        causationId: 'evt-foreign',
        causationDepth: 0,
      },
      ...{ occurredAt: new Date(clock.now()).toISOString(), schemaVersion: 1, source: 'evil' },
      payload: { serviceId: 'shop', deploymentId: deployment?.deploymentId ?? '' },
    };
    await bus.publish(controlTopic, [{ envelope }]);
    await clock.advance(5_000);
    const { items } = await bus.deadLetters.list();
    expect(items).toMatchObject([
      { reason: 'TENANT_MISMATCH', deliveryCount: 1, envelope: { eventId: 'evt-foreign' } },
    ]);
    expect(target.changes).toHaveLength(before);
  });

  it('tells an alert to every sink until it is taken', async () => {
    const { clock, alerts, health, sink, plane } = await open();
    await plane.commands.apply(manifest, by);
    await clock.advance(60_000);
    sink.refuses = 2;
    health.verdict = { outcome: 'failed', message: 'no answer' };
    await clock.advance(120_000);
    expect(alerts).toMatchObject([{ state: 'raised', subject: 'shop', tenantId: 'acme' }]);
    health.verdict = { outcome: 'passed', message: '' };
    await clock.advance(120_000);
    expect(alerts.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  });

  it('two control planes on one store never act twice', async () => {
    const { clock, target, start, plane } = await open();
    const other = await start('two');
    closers.push(() => other.stop(1_000));
    await plane.commands.apply(manifest, by);
    await clock.advance(120_000);
    expect(target.changes.filter((change) => change.includes('traffic'))).toEqual(['shop: traffic v1=100']);
    expect(target.changes.filter((change) => change.includes('provision'))).toHaveLength(1);
    expect(await plane.state.list('deployment')).toMatchObject([{ state: 'completed' }]);
  });

  it('replays a dead letter for real: the deployment that had failed runs again', async () => {
    const { clock, bus, target, plane } = await open();
    target.failing = 'the target is away';
    await plane.commands.apply(manifest, by);
    await clock.advance(20 * 60_000);
    expect(await plane.state.list('deployment')).toMatchObject([{ state: 'failed', reason: 'the target is away' }]);
    const { items } = await bus.deadLetters.list({ eventType: 'RuntimeDeploymentRequested' });
    expect(items).toMatchObject([{ subscription: 'worker-deployment' }]);
    target.failing = undefined;
    expect(await bus.deadLetters.replay(items[0]?.deadLetterId ?? '')).toMatchObject({ kind: 'replayed' });
    await clock.advance(60_000);
    expect(await plane.state.list('deployment')).toMatchObject([{ state: 'completed' }]);
  });

  it('I2: acts no more once it is stopped', async () => {
    const { clock, target, plane } = await open();
    await plane.commands.apply(manifest, by);
    const stopped = plane.stop(1_000);
    await clock.advance(2_000);
    await stopped;
    const before = target.changes.length;
    await clock.advance(600_000);
    expect(target.changes).toHaveLength(before);
  });
});
