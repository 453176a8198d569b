import { silentLog, silentMeter, systemClock } from '@switchyard/kernel';
import { workerNames } from '@switchyard/protocol/control-api';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteBus } from '../bus/sqlite/sqlite-bus.ts';
import { controlTopic } from '../frame/store-state.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { createComputeTargets } from '../targets/compute-targets.ts';
import { createStoreVault } from '../targets/store-vault.ts';
import { type ControlRun, openControlRun } from '../testing/control-run.ts';
import { MemoryTarget } from '../testing/memory-target.ts';
import { startControlPlane } from '../workers/control-plane.ts';
import { readAppliedState } from '../workers/drift/desired-state.ts';
import type { ProbeVerdict } from '../workers/health/probe-runner.ts';
import { generatedTarget } from '../workers/secrets/rotation-target.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const manifest = {
  ...{ apiVersion: 'switchyard.dev/v1', tenant: 'acme' },
  services: [{ id: 'shop', target: 'memory', version: 'v1', gateMs: 0, configuration: 'settings', secrets: ['db'] }],
  configurations: [{ id: 'settings', values: { COLOUR: 'crimson-42', DB: { secret: 'db' } } }],
  secrets: [{ id: 'db', setting: 'DB' }],
};

async function open() {
  const clock = new VirtualClock();
  const random = createSeededRandom(5);
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  const bus = openSqliteBus({ clock, random, inbox: store.inbox }, { file: ':memory:' });
  const target = new MemoryTarget();
  const passed = async (): Promise<ProbeVerdict> => ({ outcome: 'passed', message: '' });
  const plane = await startControlPlane(
    {
      ...{ clock, random, log: silentLog, meter: silentMeter, store, bus, spans: { record: () => {} }, alertSinks: [] },
      ports: {
        targets: createComputeTargets([target]),
        vault: createStoreVault({ store, random }, new Uint8Array(32)),
        probes: { http: passed, tcp: passed, exec: passed, grpc: passed, target: passed },
        telemetry: { read: async () => undefined },
        readDesired: readAppliedState,
        rotationTargets: { generated: generatedTarget, 'postgresql-user': generatedTarget },
      },
    },
    { holder: 'one', workers: workerNames },
  );
  const domain = { view: plane.state, commands: plane.commands, store, deadLetters: bus.deadLetters };
  const run = await openControlRun({ clock: systemClock, random, log: silentLog }, {}, {}, undefined, domain);
  closers.push(
    async () => bus.close().then(() => store.close()),
    () => plane.stop(1_000),
    () => run.close(),
  );
  const post = (path: string, body: unknown = {}, token = 'ann') => run.ask({ method: 'POST', path, body, token });
  return { clock, store, bus, target, plane, run, post };
}

const items = async (run: ControlRun, path: string, token = 'ann') =>
  ((await run.ask({ path: `/v1/runtime/${path}`, token })).json as { items: readonly Record<string, unknown>[] }).items;

describe('the API of the control plane', () => {
  it('applies a manifest, lists what came of it, and shows no value of a setting', async () => {
    const { clock, run, post } = await open();
    const applied = await post('/v1/runtime/manifests', manifest);
    expect(applied.status).toBe(200);
    expect(applied.json).toMatchObject({
      environmentId: 'acme.default',
      deploymentIds: [expect.stringMatching(/^shop\./)],
    });
    await clock.advance(150_000);
    expect(await items(run, 'records/deployments?service=shop')).toMatchObject([{ state: 'completed', version: 'v1' }]);
    expect(await items(run, 'records/services')).toMatchObject([{ id: 'shop', version: 'v1', managed: true }]);
    expect(await items(run, 'records/health')).toMatchObject([{ status: 'healthy' }]);
    expect(await items(run, 'records/deployments?state=failed')).toEqual([]);
    expect(await items(run, 'records/environments?id=nowhere')).toEqual([]);
    expect(await items(run, 'records/configurations')).toMatchObject([
      { values: { COLOUR: '***', DB: { secret: 'db' } } },
    ]);
    expect(await items(run, 'audit')).toMatchObject([{ actor: 'ann', action: 'ApplyManifest' }]);
    const told = JSON.stringify(await items(run, 'events?limit=1000'));
    expect(told).not.toContain('crimson-42');
    expect(told).toContain('RuntimeDeploymentCompleted');
  });

  it('deploys, rolls back, rotates', async () => {
    const { clock, run, post, target } = await open();
    await post('/v1/runtime/manifests', manifest);
    await clock.advance(150_000);
    expect((await post('/v1/runtime/services/shop/deployments', { version: 'v2' })).status).toBe(202);
    await clock.advance(30_000);
    expect(target.services.get('shop')?.weights).toEqual([{ version: 'v2', weight: 100 }]);
    expect((await post('/v1/runtime/services/shop/rollback')).status).toBe(202);
    await clock.advance(30_000);
    expect(target.services.get('shop')?.weights).toEqual([{ version: 'v1', weight: 100 }]);
    expect((await post('/v1/runtime/secret-bindings/db/rotate')).status).toBe(204);
    await clock.advance(30_000);
    expect(await items(run, 'records/secret-rotations')).toMatchObject([{ version: 2 }]);
  });

  it('has a drift undone or adopted', async () => {
    const { clock, run, post, target } = await open();
    await post('/v1/runtime/manifests', manifest);
    await clock.advance(150_000);
    const drift = async (version: string): Promise<string> => {
      const shop = target.services.get('shop');
      if (shop !== undefined) shop.weights = [{ version, weight: 100 }];
      await clock.advance(400_000);
      return String((await items(run, 'records/findings?state=open'))[0]?.findingId);
    };
    const first = await drift('v8');
    expect((await post('/v1/runtime/findings/decisions', { findingId: first, decision: 'remediate' })).status).toBe(
      204,
    );
    await clock.advance(400_000);
    expect(target.services.get('shop')?.weights).toEqual([{ version: 'v1', weight: 100 }]);
    const second = await drift('v9');
    await post('/v1/runtime/findings/decisions', { findingId: second, decision: 'adopt' });
    await clock.advance(400_000);
    expect(await items(run, 'records/specifications')).toMatchObject([{ version: 'v9' }]);
    const gone = await post('/v1/runtime/findings/decisions', { findingId: first, decision: 'remediate' });
    expect(gone.json).toMatchObject({ code: 'RECORD_UNKNOWN' });
  });

  it('follows events as they are told', async () => {
    const { clock, run, post } = await open();
    const stream = await run.watch('/v1/runtime/events?follow');
    const first = stream.events.next();
    await post('/v1/runtime/manifests', manifest);
    expect((await first).value).toMatchObject({ name: 'event', data: { envelope: { tenantId: 'acme' } } });
    await clock.advance(1_000);
    stream.leave();
  });

  it('shows dead letters and replays them', async () => {
    const { clock, run, post, bus, target } = await open();
    target.failing = 'away';
    await post('/v1/runtime/manifests', manifest);
    await clock.advance(20 * 60_000);
    const [letter] = await items(run, 'dead-letters?type=RuntimeDeploymentRequested');
    expect(letter).toMatchObject({ reason: 'WORKER_FAILED', description: 'away', envelope: { tenantId: 'acme' } });
    const path = `/v1/runtime/dead-letters/${String(letter?.deadLetterId)}`;
    expect((await run.ask({ path })).json).toMatchObject({ history: expect.arrayContaining([expect.anything()]) });
    target.failing = undefined;
    expect((await post(`${path}/replay`)).status).toBe(204);
    await clock.advance(60_000);
    expect(await items(run, 'records/deployments')).toMatchObject([{ state: 'completed' }]);
    expect((await post(`${path}/replay`)).status).toBe(404);
    expect(await bus.deadLetters.count({ eventType: 'RuntimeDeploymentRequested' })).toBe(0);
  });

  it('shows and does nothing of other tenants', async () => {
    const { clock, run, post, bus } = await open();
    await post('/v1/runtime/manifests', manifest);
    await clock.advance(150_000);
    const scopes = ['read', 'write', 'deploy'];
    run.callers.set('eve', { kind: 'accepted', subject: 'eve', tenants: ['evil'], scopes });
    for (const path of [
      'records/services',
      'records/deployments',
      'records/services?tenant=acme',
      'records/services?id=shop',
    ]) {
      expect([path, await items(run, path, 'eve')]).toEqual([path, []]);
    }
    for (const path of ['events', 'audit', 'dead-letters'])
      expect([path, await items(run, path, 'eve')]).toEqual([path, []]);
    const refused = [
      await post('/v1/runtime/manifests', manifest, 'eve'),
      await post('/v1/runtime/services/shop/deployments', { version: 'v2' }, 'eve'),
      await post('/v1/runtime/services/shop/rollback', {}, 'eve'),
      await post('/v1/runtime/secret-bindings/db/rotate', {}, 'eve'),
      await post('/v1/runtime/findings/decisions', { findingId: 'shop/1', decision: 'adopt' }, 'eve'),
    ];
    for (const { status, json } of refused) expect([status, json]).toMatchObject([404, { code: 'RECORD_UNKNOWN' }]);
    // Nor can a manifest of her own take over what is not hers.
    const own = await post('/v1/runtime/manifests', { ...manifest, tenant: 'evil' }, 'eve');
    expect(own.status).toBeGreaterThanOrEqual(400);
    // Nor have the platform run a program of hers.
    const probes = [{ kind: 'exec', name: 'look', command: ['cat', '/etc/passwd'] }];
    const services = [{ id: 'evil-shop', target: 'memory', version: 'v1', probes }];
    const program = await post('/v1/runtime/manifests', { ...manifest, tenant: 'evil', services }, 'eve');
    const part = { code: 'MANIFEST_PART_REFUSED', path: 'services.0.probes.0' };
    expect([program.status, program.json]).toMatchObject([403, part]);
    expect(await bus.deadLetters.count()).toBe(0);
    expect(controlTopic).toBe('control');
  });

  it.each([
    ['a field that there is not', { ...manifest, serivces: [] }],
    [
      'users of no server',
      {
        ...manifest,
        services: [],
        configurations: [],
        secrets: [{ id: 'db', setting: 'DB', kind: 'postgresql-user' }],
      },
    ],
    ['a name that is none', { ...manifest, tenant: '../x' }],
    [
      'a setting called like a property of objects',
      JSON.parse(
        '{"apiVersion":"switchyard.dev/v1","tenant":"acme","configurations":[{"id":"c","values":{"__proto__":"x"}}]}',
      ),
    ],
  ])('refuses a manifest with %s', async (_, body) => {
    const { post, plane } = await open();
    const answer = await post('/v1/runtime/manifests', body);
    expect(answer.status).toBe(400);
    expect(await plane.state.list('environment')).toEqual([]);
  });

  it('says that no control plane runs', async () => {
    const run = await openControlRun({ clock: systemClock, random: createSeededRandom(1), log: silentLog });
    closers.push(() => run.close());
    expect((await run.ask({ path: '/v1/runtime/records/services' })).json).toMatchObject({ code: 'CONTROL_PLANE_OFF' });
  });
});
