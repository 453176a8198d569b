import { describe, expect, it } from 'vitest';
import type { AgentService } from './agent-services.ts';
import { planPods, type SeenAgent, type SeenPod } from './plan-pods.ts';

const all = (version: string) => [{ version, weight: 100 }];

function service(more: Partial<AgentService> = {}): AgentService {
  return {
    ...{ serviceId: 'shop', tenantId: 'acme', versions: ['v1'], weights: all('v1'), planned: all('v1') },
    ...{ limits: { minReplicas: 2 }, generation: 2, settings: new Map() },
    ...more,
  };
}

function pod(jobId: string, more: Partial<SeenPod> = {}): SeenPod {
  return {
    ...{ jobId, agent: 'a', serviceId: 'shop', version: 'v1', generation: 2, endpoint: 'http://a:1', port: 8080 },
    ...{ isReady: true, restarts: 0, isLeaving: false },
    ...more,
  };
}

const agents: readonly SeenAgent[] = [
  { url: 'a', room: 1 },
  { url: 'b', room: 3 },
];
const namesOf = (pods: readonly SeenPod[]) => pods.map(({ jobId }) => jobId);

describe('planPods', () => {
  it('I1: starts what is missing where there is most room, and says what nobody has room for', () => {
    const plan = planPods(service({ limits: { minReplicas: 6 } }), [pod('x')], agents);
    expect(plan.starts.map(({ agent }) => agent)).toEqual(['b', 'b', 'a', 'b']);
    expect([plan.homeless, plan.isSettled]).toEqual([1, false]);
  });

  it('I1: rests where everything is as it ought to be, and leaves the pods of others alone', () => {
    const foreign = pod('y', { serviceId: 'other' });
    const plan = planPods(service(), [pod('x'), pod('z'), foreign], agents);
    expect(plan).toEqual({ starts: [], stops: [], homeless: 0, isSettled: true });
  });

  it('I2: keeps the pods of an earlier generation until the new ones are ready', () => {
    const old = [pod('o1', { generation: 1 }), pod('o2', { generation: 1 })];
    expect(planPods(service(), old, agents)).toMatchObject({ stops: [], isSettled: false });
    const coming = [pod('n1'), pod('n2', { isReady: false })];
    expect(planPods(service(), [...old, ...coming], agents)).toMatchObject({ starts: [], stops: [] });
    const come = planPods(service(), [...old, pod('n1'), pod('n2')], agents);
    expect([namesOf(come.stops), come.isSettled]).toEqual([['o1', 'o2'], true]);
  });

  it('I3: of too many pods those go first that are not ready', () => {
    const pods = [pod('a', { isReady: false }), pod('b'), pod('c')];
    expect(namesOf(planPods(service(), pods, agents).stops)).toEqual(['a']);
  });

  it('I4: stops what is of no version any more, and counts nothing that is leaving', () => {
    const pods = [pod('x'), pod('y', { version: 'v0' }), pod('z', { isLeaving: true })];
    const plan = planPods(service(), pods, agents);
    expect([namesOf(plan.stops), plan.starts]).toEqual([['y'], [{ agent: 'b', version: 'v1' }]]);
  });
});
