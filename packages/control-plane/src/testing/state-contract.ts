/** What every state of the workers promises. Run it on each. */

import type { EventEnvelope } from '@switchyard/protocol';
import type { Environment, RuntimeDeployment } from '@switchyard/protocol/control-api';
import { expect, it } from 'vitest';
import { put } from '../domain/records.ts';
import type { Commit, DomainState } from '../frame/contract.ts';

export const sampleEnvironment: Environment = {
  ...{ environmentId: 'acme.default', tenantId: 'acme', name: 'default', stage: 'dev', region: 'local' },
  ...{ status: 'provisioned', desiredState: { kind: 'applied' }, remediation: 'manual' },
};

export function sampleDeployment(serviceId: string, more: Partial<RuntimeDeployment> = {}): RuntimeDeployment {
  return {
    ...{ deploymentId: `${serviceId}.1`, tenantId: 'acme', environmentId: 'acme.default', serviceId },
    ...{ computeTarget: 'memory', version: 'v1', mode: 'roll-out', strategy: { kind: 'blue-green' }, gateMs: 1_000 },
    ...{ state: 'requested', stage: { index: 0, since: 0 }, steps: [], attempts: 0, createdBy: 'ann', createdAt: 1 },
    trace: { traceId: 'a'.repeat(32), correlationId: 'c', depth: 0 },
    ...more,
  };
}

export function sampleEvent(more: Partial<EventEnvelope> = {}): EventEnvelope {
  return {
    ...{ eventId: 'evt-1', eventType: 'RuntimeDeploymentRequested', tenantId: 'acme', environmentId: 'acme.default' },
    ...{ subject: 'shop', traceId: 'a'.repeat(32), correlationId: 'c', causationId: 'evt-1', causationDepth: 0 },
    ...{ occurredAt: '2024-01-01T00:00:00.000Z', schemaVersion: 1, source: 'test', payload: { serviceId: 'shop' } },
    ...more,
  };
}

const nothing: Commit = { puts: [], removes: [], events: [] };

export function describeState(
  open: () => Promise<{ readonly state: DomainState; readonly advance: (ms: number) => Promise<void> }>,
): void {
  it('gives back what was written, by id and in lists that are filtered', async () => {
    const { state } = await open();
    const puts = [
      put('environment', sampleEnvironment),
      put('deployment', sampleDeployment('shop')),
      put('deployment', sampleDeployment('shop', { deploymentId: 'shop.2' })),
      put('deployment', sampleDeployment('shop-2')),
      put('deployment', sampleDeployment('stock', { environmentId: 'acme.other' })),
    ];
    expect(await state.commit({ ...nothing, puts })).toBe('committed');
    expect(await state.get('environment', 'acme.default')).toEqual(sampleEnvironment);
    expect(await state.get('environment', 'nowhere')).toBeUndefined();
    const ids = async (filter: Parameters<DomainState['list']>[1]): Promise<string[]> =>
      (await state.list('deployment', filter)).map(({ deploymentId }) => deploymentId);
    expect(await ids({ serviceId: 'shop' })).toEqual(['shop.1', 'shop.2']);
    expect(await ids({ tenantId: 'acme', environmentId: 'acme.other' })).toEqual(['stock.1']);
    expect(await ids({ tenantId: 'other' })).toEqual([]);
    await state.commit({ ...nothing, removes: [{ kind: 'deployment', id: 'shop.1' }] });
    expect(await ids({})).toEqual(['shop-2.1', 'shop.2', 'stock.1']);
  });

  it('refuses the write of a holder that lost its lease, whole', async () => {
    const { state, advance } = await open();
    const first = await state.acquire('drift:acme', 'one', 1_000);
    expect(await state.acquire('drift:acme', 'two', 1_000)).toBeUndefined();
    await advance(1_500);
    const second = await state.acquire('drift:acme', 'two', 1_000);
    expect(second?.token).toBeGreaterThan(first?.token ?? 0);
    const puts = [put('environment', sampleEnvironment)];
    if (first === undefined || second === undefined) throw new Error('no lease');
    const events = [sampleEvent()];
    expect(await state.commit({ ...nothing, puts, events, lease: first })).toBe('fenced');
    expect(await state.get('environment', 'acme.default')).toBeUndefined();
    expect(await state.renew(first, 1_000)).toBe(false);
    expect(await state.commit({ ...nothing, puts, lease: second })).toBe('committed');
    expect(await state.renew(second, 1_000)).toBe(true);
    await state.release(second);
    expect(await state.acquire('drift:acme', 'one', 1_000)).toBeDefined();
  });

  it('knows which events a worker has handled', async () => {
    const { state } = await open();
    const handled = { worker: 'drift', eventId: 'evt-1' };
    expect(await state.isHandled(handled)).toBe(false);
    await state.commit({ ...nothing, handled });
    expect(await state.isHandled(handled)).toBe(true);
    expect(await state.isHandled({ ...handled, worker: 'health' })).toBe(false);
    expect(await state.commit({ ...nothing, handled })).toBe('committed');
  });
}
