import type { RuntimeService, ScalingPolicy } from '@switchyard/protocol/control-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DriftSight, planDrift } from './drift-plan.ts';

const service: RuntimeService = {
  ...{ serviceId: 'shop', tenantId: 'acme', environmentId: 'e', computeTarget: 'memory', componentType: 'app' },
  ...{
    version: 'v1',
    weights: [{ version: 'v1', weight: 100 }],
    replicas: 2,
    limits: { minReplicas: 1, maxReplicas: 5 },
  },
  ...{ status: 'running', managed: true, missedSweeps: 0, lastObservedAt: 0 },
};

const desired = {
  serviceId: 'shop',
  computeTarget: 'memory',
  version: 'v1',
  limits: { minReplicas: 1, maxReplicas: 5 },
};

function sight(more: Partial<DriftSight> = {}): DriftSight {
  return {
    ...{ tenantId: 'acme', environmentId: 'e', desired: { revision: 'r1', services: [desired] }, services: [service] },
    ...{ settings: new Map(), policies: new Map(), deploying: new Set(), findings: [], adopted: new Set() },
    ...more,
  };
}

const found = (more: Partial<DriftSight>) =>
  planDrift(sight(more), 1_000).detected.map(({ kind, path, desired: want, actual, severity }) => ({
    kind,
    path,
    want,
    actual,
    severity,
  }));

const policy = { serviceId: 'shop', minReplicas: 1, maxReplicas: 9 } as ScalingPolicy;

describe('planDrift', () => {
  it.each<[string, Partial<DriftSight>, ReturnType<typeof found>]>([
    ['nothing', {}, []],
    [
      'another version',
      { services: [{ ...service, version: 'v9' }] },
      [{ kind: 'version', path: 'version', want: 'v1', actual: 'v9', severity: 'critical' }],
    ],
    [
      'traffic that is shared with another version',
      {
        services: [
          {
            ...service,
            weights: [
              { version: 'v2', weight: 10 },
              { version: 'v1', weight: 90 },
            ],
          },
        ],
      },
      [{ kind: 'traffic', path: 'traffic', want: '100 % v1', actual: '90 % v1, 10 % v2', severity: 'warning' }],
    ],
    [
      'a version that stands by without traffic',
      { services: [{ ...service, weights: [...service.weights, { version: 'v0', weight: 0 }] }] },
      [],
    ],
    [
      'a service that is not there',
      { services: [] },
      [
        {
          kind: 'missing',
          path: 'service',
          want: '{"computeTarget":"memory","limits":{"maxReplicas":5,"minReplicas":1},"version":"v1"}',
          actual: 'nothing',
          severity: 'critical',
        },
      ],
    ],
    [
      'a service without traffic',
      { services: [{ ...service, version: '', weights: [] }] },
      [expect.objectContaining({ kind: 'missing', actual: 'no version has traffic' })],
    ],
    [
      'a service that nobody wants',
      { desired: { revision: 'r1', services: [] } },
      [
        {
          kind: 'unexpected',
          path: 'service',
          want: 'nothing',
          actual: '{"computeTarget":"memory","version":"v1"}',
          severity: 'info',
        },
      ],
    ],
    [
      'one that was never in service',
      { desired: { revision: 'r1', services: [] }, services: [{ ...service, version: '' }] },
      [],
    ],
    [
      'one that has failed',
      { services: [{ ...service, status: 'failed' }] },
      [{ kind: 'status', path: 'status', want: 'running', actual: 'failed', severity: 'critical' }],
    ],
    [
      'other limits',
      { services: [{ ...service, limits: { minReplicas: 0, maxReplicas: 5 } }] },
      [expect.objectContaining({ kind: 'limits', severity: 'warning' })],
    ],
    [
      'limits that a policy moves',
      { services: [{ ...service, limits: { minReplicas: 4, maxReplicas: 5 } }], policies: new Map([['shop', policy]]) },
      [],
    ],
    ['limits that the target does not tell', { services: [{ ...service, limits: {} }] }, []],
    ['replicas within the limits', { services: [{ ...service, replicas: 5 }] }, []],
    [
      'another setting',
      { settings: new Map([['shop', ['COLOUR']]]) },
      [
        {
          kind: 'configuration',
          path: 'settings/COLOUR',
          want: 'as in version 0',
          actual: 'another value',
          severity: 'warning',
        },
      ],
    ],
    ['what is being deployed', { services: [{ ...service, version: 'v9' }], deploying: new Set(['shop']) }, []],
    ['what is being deployed for the first time', { services: [], deploying: new Set(['shop']) }, []],
  ])('%s', (_, more, findings) => {
    expect(found(more)).toEqual(findings);
  });

  it('merges, resolves, and opens again', () => {
    const drifted = { services: [{ ...service, version: 'v9' }] };
    const [opened] = planDrift(sight(drifted), 1_000).puts;
    expect(opened).toMatchObject({ state: 'open', firstSeen: 1_000, count: 1, revision: 'r1' });
    const findings = opened === undefined ? [] : [opened];
    expect(planDrift(sight({ ...drifted, findings }), 2_000).puts).toEqual([]);
    const gone = planDrift(sight({ findings }), 3_000);
    expect(gone.resolved).toMatchObject([{ state: 'resolved', lastSeen: 3_000 }]);
    expect(planDrift(sight({ findings: gone.puts }), 4_000).puts).toEqual([]);
    const again = planDrift(sight({ ...drifted, findings: gone.puts }), 5_000);
    expect(again.detected).toMatchObject([{ state: 'open', count: 2, firstSeen: 1_000 }]);
  });

  it('leaves a finding open while its service is being deployed', () => {
    const [opened] = planDrift(sight({ services: [{ ...service, version: 'v9' }] }), 1_000).puts;
    const findings = opened === undefined ? [] : [opened];
    expect(planDrift(sight({ findings, deploying: new Set(['shop']) }), 2_000).puts).toEqual([]);
  });

  it('tells an adopted difference no more, and another one of the same service again', () => {
    const drifted = { services: [{ ...service, version: 'v9' }] };
    const [opened] = planDrift(sight(drifted), 1_000).puts;
    const findings = opened === undefined ? [] : [opened];
    const adopted = planDrift(
      sight({ ...drifted, findings, adopted: new Set(findings.map(({ findingId }) => findingId)) }),
      2_000,
    );
    expect(adopted).toMatchObject({ puts: [{ state: 'adopted' }], detected: [] });
    expect(planDrift(sight({ ...drifted, findings: adopted.puts }), 3_000).puts).toEqual([]);
    const other = planDrift(sight({ services: [{ ...service, version: 'v8' }], findings: adopted.puts }), 4_000);
    expect(other.detected).toMatchObject([{ actual: 'v8' }]);
  });

  it('comes to rest: what was planned once plans nothing more', () => {
    const version = fc.constantFrom('v1', 'v2', '');
    const status = fc.constantFrom<RuntimeService['status']>('running', 'failed', 'stopped');
    const services = fc.uniqueArray(
      fc.record({ serviceId: fc.constantFrom('shop', 'stock', '__proto__', 'constructor'), version, status }),
      { selector: ({ serviceId }) => serviceId },
    );
    fc.assert(
      fc.property(services, fc.uniqueArray(fc.constantFrom('shop', 'stock', '__proto__')), (actual, wanted) => {
        const given = sight({
          services: actual.map((one) => ({ ...service, ...one })),
          desired: { revision: 'r', services: wanted.map((serviceId) => ({ ...desired, serviceId })) },
        });
        const first = planDrift(given, 1_000);
        expect(new Set(first.puts.map(({ findingId }) => findingId)).size).toBe(first.puts.length);
        expect(planDrift({ ...given, findings: first.puts }, 2_000).puts).toEqual([]);
      }),
    );
  });
});
