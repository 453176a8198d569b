/** Scale and roll-outs over a real socket, every answer held against its schema. */
import type { RolloutAnswer, ScaleView, TenantQuotaView } from '@switchyard/protocol/control-api';
import { rolloutSchema, scaleSchema, tenantQuotaViewSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type ControlRun, openControlRun } from '../testing/control-run.ts';
import type { ScaleOperations } from './scale-contract.ts';

let run: ControlRun;
afterEach(() => run.close());

const view: ScaleView = { revision: 3, scale: { maximum: 5 }, versions: [], changes: [] };

const version = 'a'.repeat(16);

const rollout: RolloutAnswer = {
  ...{ strategy: 'canary', from: 'b'.repeat(16), to: version, state: 'running', step: 0 },
  steps: [{ weight: 5, holdSeconds: 60 }],
  gate: { maxErrorRateIncrease: 0.02, maxP99Ratio: 2, minimumCalls: 20 },
  ...{ startedAt: '2026-01-01T00:00:00.000Z', history: [] },
};

const quota: TenantQuotaView = { revision: 2, quota: { workers: 8 }, workers: { wanted: 3, ready: 2 } };

const asked: unknown[] = [];
const scripted: ScaleOperations = {
  view: async () => view,
  put: async (...given) => {
    asked.push(given);
    return view;
  },
  quota: async (tenantId) => {
    asked.push([tenantId]);
    return quota;
  },
  putQuota: async (...given) => {
    asked.push(given);
    return quota;
  },
  rollout: async () => (asked.length > 0 ? rollout : undefined),
  startRollout: async (...given) => {
    asked.push(given);
    return rollout;
  },
  changeRollout: async (...given) => {
    asked.push(given);
    return rollout;
  },
};

async function open(scale: ScaleOperations | undefined = scripted): Promise<void> {
  asked.length = 0;
  run = await openControlRun(
    { clock: new VirtualClock(), random: createSeededRandom(1), log: createMemoryLog() },
    {},
    {},
    scale,
  );
  await run.ask({ method: 'PUT', path: '/v1/apps/shop', body: { tenantId: 'contoso', stack: { runtime: 'node' } } });
}

const path = '/v1/apps/shop/scale';

describe('/v1/apps/{app}/scale', () => {
  it('shows and takes what the controller knows', async () => {
    await open();
    const shown = await run.ask({ path });
    expect([shown.status, scaleSchema.parse(shown.json)]).toEqual([200, view]);
    const body = { scale: { maximum: 5, functionTargets: { hello: 3 } }, revision: 2 };
    expect((await run.ask({ method: 'PUT', path, body })).status).toBe(200);
    expect(asked).toEqual([['shop', body.scale, 2]]);
  });

  it.each([
    [{ scale: { maximum: 0 } }, 'scale.maximum'],
    [{ scale: { maximum: 2, minimum: 3 } }, 'minimum and alwaysReady must not be greater'],
    [{ scale: { most: 2 } }, 'most'],
    [{ scale: { functionTargets: { 'no name': 2 } } }, 'functionTargets'],
    [{}, 'scale'],
  ])('refuses %j', async (body, named) => {
    await open();
    const { status, text } = await run.ask({ method: 'PUT', path, body });
    expect([status, asked]).toEqual([400, []]);
    expect(text).toContain(named);
  });

  it('says so where there is no controller, and where there is no app', async () => {
    await open();
    expect((await run.ask({ path: '/v1/apps/nobody/scale' })).status).toBe(404);
    await run.close();
    run = await openControlRun({ clock: new VirtualClock(), random: createSeededRandom(1), log: createMemoryLog() });
    await run.ask({ method: 'PUT', path: '/v1/apps/shop', body: { tenantId: 'contoso', stack: { runtime: 'node' } } });
    expect(await run.ask({ path })).toMatchObject({ status: 501, json: { code: 'SCALE_UNAVAILABLE' } });
  });
});

describe('/v1/tenants/{tenant}/quota', () => {
  const at = '/v1/tenants/contoso/quota';

  it('shows and takes what a tenant may have', async () => {
    await open();
    const shown = await run.ask({ path: at });
    expect([shown.status, tenantQuotaViewSchema.parse(shown.json)]).toEqual([200, quota]);
    const body = { quota: { workers: 8 }, revision: 1 };
    expect((await run.ask({ method: 'PUT', path: at, body })).status).toBe(200);
    expect(asked).toEqual([['contoso'], ['contoso', { workers: 8 }, 1]]);
    expect((await run.ask({ method: 'PUT', path: at, body: { quota: { workers: -1 } } })).status).toBe(400);
  });

  it('lets a tenant see its own and change none', async () => {
    await open();
    const scopes = ['read', 'write'] as const;
    run.callers.set('eve', { kind: 'accepted', subject: 'eve', tenants: ['contoso'], scopes });
    const own = { token: 'eve' };
    expect((await run.ask({ path: at, ...own })).status).toBe(200);
    expect(await run.ask({ path: '/v1/tenants/fabrikam/quota', ...own })).toMatchObject({
      ...{ status: 403, json: { code: 'CONTROL_TENANT_REFUSED' } },
    });
    const raise = await run.ask({ method: 'PUT', path: at, body: { quota: {} }, ...own });
    expect(raise).toMatchObject({ status: 403, json: { code: 'TENANT_QUOTA_REFUSED' } });
    expect(asked).toEqual([['contoso']]);
  });
});

describe('/v1/apps/{app}/rollout', () => {
  it('starts, changes and shows one', async () => {
    await open();
    const at = '/v1/apps/shop/rollout';
    expect(await run.ask({ path: at })).toMatchObject({ status: 404, json: { code: 'ROLLOUT_UNKNOWN' } });
    const body = { to: version, strategy: 'blueGreen', steps: [{ weight: 100, holdSeconds: 1 }] };
    const started = await run.ask({ method: 'POST', path: at, body });
    expect([started.status, rolloutSchema.parse(started.json)]).toEqual([200, rollout]);
    await run.ask({ method: 'PATCH', path: at, body: { action: 'pause' } });
    const by = { subject: 'ann', trace: { traceId: 't1', correlationId: 't1', depth: 0 } };
    expect(asked).toEqual([
      ['shop', body, by],
      ['shop', 'pause', by],
    ]);
    expect((await run.ask({ path: at })).status).toBe(200);
  });

  it.each([
    { to: 'zz' },
    { to: version, steps: [] },
    { to: version, gate: { maxP99Ratio: 0.5 } },
    {
      to: version,
      steps: [
        { weight: 50, holdSeconds: 1 },
        { weight: 5, holdSeconds: 1 },
      ],
    },
  ])('refuses %j', async (body) => {
    await open();
    expect((await run.ask({ method: 'POST', path: '/v1/apps/shop/rollout', body })).status).toBe(400);
  });

  it('wants the scope that fits', async () => {
    await open();
    run.callers.set('reader', { kind: 'accepted', subject: 'reader', tenants: '*', scopes: ['read'] });
    const token = 'reader';
    expect((await run.ask({ path, token })).status).toBe(200);
    expect((await run.ask({ method: 'PUT', path, token, body: { scale: {} } })).status).toBe(403);
    const body = { action: 'abort' };
    expect((await run.ask({ method: 'PATCH', path: '/v1/apps/shop/rollout', token, body })).status).toBe(403);
  });
});
