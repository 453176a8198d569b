/** The platform as a compute target, over a real socket: what workers elsewhere do. */
import { silentLog, systemClock } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type ControlRun, openControlRun } from '../testing/control-run.ts';
import { MemoryTarget } from '../testing/memory-target.ts';

let run: ControlRun | undefined;
afterEach(async () => {
  await run?.close();
  run = undefined;
});

const tenantId = 'contoso';
const path = '/v1/target/services/shop';

async function open() {
  const calls: string[] = [];
  const compute = new MemoryTarget({ onCall: (what) => calls.push(what) });
  const telemetry = { read: async (_: string, metric: string) => (metric === 'waiting' ? 3 : undefined) };
  const target = { compute, telemetry };
  const opened = await openControlRun(
    { clock: systemClock, random: createSeededRandom(1), log: silentLog },
    ...([{}, {}, undefined, undefined, target] as const),
  );
  run = opened;
  const ask = (method: string, at: string, body?: unknown, token = 'ann') =>
    opened.ask({ method, path: at, token, ...(body === undefined ? {} : { body }) });
  return { compute, calls, ask, callers: opened.callers };
}

describe('/v1/target', () => {
  it('does and sees what a worker of the control plane needs', async () => {
    const { ask, compute } = await open();
    const shares = [{ version: 'v1', weight: 100 }];
    expect((await ask('POST', `${path}/versions`, { tenantId, version: 'v1' })).json).toEqual({ kind: 'ready' });
    expect((await ask('PUT', `${path}/traffic`, { tenantId, shares, reason: 'rollback' })).status).toBe(204);
    const limits = { minReplicas: 1, maxReplicas: 2 };
    expect((await ask('PUT', `${path}/limits`, { tenantId, limits })).status).toBe(204);
    const set = { COLOUR: 'red', SIZE: 'small' };
    expect((await ask('PATCH', `${path}/settings`, { tenantId, set })).json).toEqual({ outcome: 'reloaded' });
    await ask('PATCH', `${path}/settings`, { tenantId, set: {}, remove: ['SIZE'] });
    expect((await ask('POST', `${path}/settings`, { names: ['COLOUR', 'SIZE'] })).json).toEqual({
      values: { COLOUR: 'red' },
    });
    expect((await ask('POST', `${path}/restart`, { tenantId })).status).toBe(204);
    expect((await ask('GET', path)).json).toMatchObject({ version: 'v1', weights: shares, limits });
    expect((await ask('GET', '/v1/target/services')).json).toMatchObject({ items: [{ serviceId: 'shop' }] });
    expect((await ask('GET', `${path}/versions/v1`)).json).toEqual({ health: 'healthy' });
    expect((await ask('GET', `${path}/measurements/waiting`)).json).toEqual({ value: 3 });
    expect((await ask('GET', `${path}/measurements/other`)).json).toEqual({});
    expect((await ask('DELETE', `${path}/versions/v1?tenant=contoso`)).status).toBe(204);
    expect(compute.services.has('shop')).toBe(false);
  });

  it('is for who has its scope alone, and for the tenants of the token', async () => {
    const { ask, callers, compute, calls } = await open();
    await ask('POST', `${path}/versions`, { tenantId, version: 'v1' });
    callers.set('bob', {
      kind: 'accepted',
      subject: 'bob',
      tenants: '*',
      scopes: ['read', 'write', 'deploy', 'secrets'],
    });
    callers.set('eve', { kind: 'accepted', subject: 'eve', tenants: ['evil'], scopes: ['target'] });
    const before = [...calls];
    const shares = [{ version: 'v1', weight: 100 }];
    expect((await ask('PUT', `${path}/traffic`, { tenantId, shares }, 'bob')).status).toBe(403);
    expect((await ask('PUT', `${path}/traffic`, { tenantId, shares }, 'eve')).status).toBe(404);
    expect((await ask('POST', `${path}/restart`, { tenantId }, 'eve')).status).toBe(404);
    expect(calls).toEqual(before);
    expect((await ask('GET', path, undefined, 'eve')).status).toBe(404);
    expect((await ask('POST', `${path}/settings`, { names: ['COLOUR'] }, 'eve')).status).toBe(404);
    expect((await ask('GET', '/v1/target/services', undefined, 'eve')).json).toEqual({ items: [] });
    expect(compute.changes).toEqual(['shop: provision v1']);
  });
});
