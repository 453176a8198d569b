/** Answers of a control API as commands meet them. */
import type { ApplicationView, StatusView, TrafficView } from '@switchyard/protocol/control-api';

export const at = '2026-11-21T08:00:00.000Z';

/** Two versions of the app `shop`. */
export const versions = { old: '1a2b3c4d5e6f7081', new: '9f8e7d6c5b4a3928' } as const;

export function sampleApp(overrides: Partial<ApplicationView> = {}): ApplicationView {
  return {
    applicationId: 'shop',
    tenantId: 'contoso',
    hostNames: [],
    stack: { runtime: 'node', version: '22', architecture: 'x64' },
    revision: 3,
    createdAt: at,
    state: 'active',
    codeVersion: versions.new,
    workers: 2,
    inFlight: 1,
    urls: ['http://shop.localhost:7071'],
    ...overrides,
  };
}

export function sampleStatus(overrides: Partial<StatusView> = {}): StatusView {
  return {
    application: sampleApp(),
    trafficRevision: 7,
    versions: [
      { codeVersion: versions.new, state: 'indexed', weight: 90, createdAt: at, message: 'new prices' },
      { codeVersion: versions.old, state: 'indexed', weight: 10, createdAt: at, message: '' },
    ],
    workers: [
      {
        workerId: 'worker-1',
        codeVersion: versions.new,
        state: 'Ready',
        inFlight: 1,
        runtimeName: 'node',
        runtimeVersion: '22.9.0',
        runtimeId: 'north-1',
        cpuMs: 12_345,
        memoryBytes: 41_900_000,
      },
      {
        workerId: 'worker-2',
        codeVersion: versions.new,
        state: 'Ready',
        inFlight: 0,
        runtimeName: 'node',
        runtimeVersion: '22.9.0',
      },
    ],
    functions: [
      {
        name: 'hello',
        trigger: 'httpTrigger',
        disabled: false,
        route: { template: 'api/hello/{name?}', methods: ['get', 'post'], authLevel: 'anonymous' },
      },
      {
        name: 'admin',
        trigger: 'httpTrigger',
        disabled: false,
        route: { template: 'api/admin', methods: [], authLevel: 'function' },
      },
      { name: 'cleanup', trigger: 'timerTrigger', disabled: true },
      { name: 'broken', trigger: 'queueTrigger', disabled: false, problem: 'Its connection is not set.' },
    ],
    ...overrides,
  };
}

export function sampleTraffic(weights: TrafficView['weights'], reason = 'traffic'): TrafficView {
  return { revision: 8, weights, setAt: at, reason };
}
