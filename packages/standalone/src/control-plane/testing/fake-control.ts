/** An installation behind its control API, for tests: one app with versions. */
import type { Deployment, StatusView } from '@switchyard/protocol/control-api';
import type { RemoteControl } from '../remote-target.ts';

export interface FakeControl extends RemoteControl {
  readonly calls: string[];
  readonly weights: Map<string, number>;
  readonly values: Map<string, string>;
  readonly records: Deployment[];
  error: string | undefined;
}

const at = '2026-01-02T03:04:05.678Z';

export function deploymentOf(codeVersion: string, name: 'ready' | 'failed' | 'stored'): Deployment {
  const problem = { code: 'X', message: 'it does not start', fix: '' };
  const of = {
    deploymentId: `00000000-0000-4000-8000-${codeVersion.slice(0, 12)}`,
    applicationId: 'shop',
    codeVersion,
    sha256: codeVersion.repeat(4),
  };
  const said = { message: '', promote: false, createdBy: 'ann', createdAt: at };
  const state = name === 'failed' ? 'failed' : name === 'ready' ? 'succeeded' : 'running';
  return { ...of, ...said, state, steps: [{ name, at, ...(name === 'failed' ? { problem } : {}) }] };
}

export function createFakeControl(): FakeControl {
  const application = {
    ...{
      applicationId: 'shop',
      tenantId: 'acme',
      hostNames: [],
      stack: { runtime: 'node', version: '22', architecture: 'x64' },
    },
    ...{ revision: 1, createdAt: at, state: 'active', urls: ['http://shop.localhost'], workers: 0, inFlight: 0 },
  } as unknown as StatusView['application'];
  const fake: FakeControl = {
    ...{ calls: [], weights: new Map(), values: new Map(), records: [], error: undefined },
    apps: async (after) => (after === undefined ? { applications: [application], next: 'shop' } : { applications: [] }),
    async status(app) {
      if (app !== 'shop') return undefined;
      const versions = fake.records.map(({ codeVersion }) => ({
        ...{ codeVersion, state: 'indexed' as const, createdAt: at, message: '' },
        weight: fake.weights.get(codeVersion) ?? 0,
      }));
      const error = fake.error === undefined ? {} : { error: fake.error };
      return { application, trafficRevision: 1, versions, workers: [], functions: [], ...error };
    },
    async setTraffic(_app, shares) {
      fake.calls.push(`traffic ${shares.map(({ codeVersion, weight }) => `${codeVersion}=${weight}`).join(' ')}`);
      fake.weights.clear();
      for (const { codeVersion, weight } of shares) fake.weights.set(codeVersion, weight);
    },
    deployments: async () => fake.records,
    async tryOut(_app, sha256) {
      fake.calls.push(`try ${sha256.slice(0, 4)}`);
      fake.records.unshift(deploymentOf(sha256.slice(0, 16), 'ready'));
    },
    settings: async () => ({ revision: 1, settings: [...fake.values].map(([name, value]) => ({ name, value })) }),
    async setSettings(_app, values) {
      for (const [name, value] of Object.entries(values)) fake.values.set(name, value);
    },
    scales: {
      view: async () => ({ scale: { alwaysReady: 1 }, revision: 1 }),
      put: async () => fake.calls.push('scale'),
    },
  };
  return fake;
}
