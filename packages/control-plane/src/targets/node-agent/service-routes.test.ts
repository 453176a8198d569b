import { describe, expect, it } from 'vitest';
import type { AgentService } from './agent-services.ts';
import type { SeenPod } from './plan-pods.ts';
import { ServiceRoutes } from './service-routes.ts';

const service: AgentService = {
  ...{ serviceId: 'shop', tenantId: 'acme', versions: ['v1', 'v2'], generation: 1, settings: new Map() },
  weights: [
    { version: 'v1', weight: 75 },
    { version: 'v2', weight: 25 },
  ],
  ...{ planned: [], limits: { concurrency: 2 } },
};

function pod(version: string, port: number, more: Partial<SeenPod> = {}): SeenPod {
  return {
    ...{ jobId: `${port}`, agent: 'a', serviceId: 'shop', version, generation: 1, endpoint: `http://a:${port}` },
    ...{ port, isReady: true, restarts: 0, isLeaving: false },
    ...more,
  };
}

function open(pods: readonly SeenPod[]) {
  const routes = new ServiceRoutes();
  routes.set(service, pods);
  const next = (): string => {
    const choice = routes.choose('shop');
    return choice.kind === 'pod' ? choice.endpoint : choice.kind;
  };
  return { routes, next };
}

describe('ServiceRoutes', () => {
  it('I1: serves by weight, evenly spread', () => {
    const routes = new ServiceRoutes();
    routes.set({ ...service, limits: {} }, [pod('v1', 1), pod('v2', 2)]);
    const served = Array.from({ length: 100 }, () => {
      const choice = routes.choose('shop');
      return choice.kind === 'pod' ? choice.endpoint : choice.kind;
    });
    expect(served.filter((one) => one === 'http://a:2')).toHaveLength(25);
    expect(served.slice(0, 4).filter((one) => one === 'http://a:2')).toHaveLength(1);
  });

  it('I2: takes the pod with the least to do, and no more than a pod may have', () => {
    const { routes, next } = open([pod('v1', 1), pod('v1', 2), pod('v2', 3)]);
    const first = routes.choose('shop');
    expect([next(), next(), next()].filter((one) => one === 'http://a:3')).toHaveLength(1);
    if (first.kind === 'pod') first.done();
    const rest = Array.from({ length: 20 }, next);
    expect(rest).toContain('full');
    expect(rest.filter((one) => one.startsWith('http')).length).toBeLessThanOrEqual(4);
  });

  it('knows no other service, and no pod that is away, leaving or not ready', () => {
    const { routes, next } = open([pod('v1', 1), pod('v2', 2, { isReady: false }), pod('v2', 3, { isLeaving: true })]);
    expect(routes.choose('other').kind).toBe('unknown');
    expect([next(), next(), next(), next()]).toContain('down');
    routes.suspend('shop', 'http://a:1');
    expect([next(), next()]).toEqual(['down', 'down']);
    routes.remove('shop');
    expect(next()).toBe('unknown');
  });
});
