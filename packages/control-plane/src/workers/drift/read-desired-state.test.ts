import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../testing/memory-state.ts';
import { sampleEnvironment } from '../../testing/state-contract.ts';
import { parseManifest } from './parse-manifest.ts';
import { readPulumiState } from './pulumi-state.ts';
import { createDesiredStateReader } from './read-desired-state.ts';

const manifest = `
apiVersion: switchyard.dev/v1
tenant: acme
services:
  - id: shop
    version: v7
`;

const stack = {
  version: 3,
  deployment: {
    resources: [
      { urn: 'urn:1', type: 'pulumi:pulumi:Stack' },
      {
        urn: 'urn:2',
        type: 'switchyard:index:Service',
        inputs: { serviceId: 'shop', version: 'v7', limits: { minReplicas: 1, maxReplicas: 2 } },
      },
      { urn: 'urn:3', type: 'switchyard:index:Service', inputs: { serviceId: 'old', version: 'v1' }, delete: true },
      {
        ...{ urn: 'urn:4', type: 'azure-native:app:ContainerApp' },
        inputs: {
          containerAppName: 'web',
          template: { containers: [{ image: 'registry/web:2' }], scale: { minReplicas: 2, maxReplicas: 4 } },
        },
      },
      {
        urn: 'urn:5',
        type: 'switchyard:index:Service',
        inputs: {
          serviceId: 'hidden',
          version: { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: 'x' },
        },
      },
      { urn: 'urn:6', type: '__proto__' },
    ],
  },
};

describe('readPulumiState', () => {
  it('reads services, and passes over what is encrypted, leaving or unknown', () => {
    expect(readPulumiState(JSON.stringify(stack))).toEqual({
      kind: 'state',
      services: [
        { serviceId: 'shop', computeTarget: 'switchyard', version: 'v7', limits: { minReplicas: 1, maxReplicas: 2 } },
        {
          serviceId: 'web',
          computeTarget: 'container-apps',
          version: 'registry/web:2',
          limits: { minReplicas: 2, maxReplicas: 4 },
        },
      ],
    });
  });

  it.each(['', '{', '[]', '{"version":2,"deployment":{}}', '{"version":3,"deployment":{"resources":[7]}}'])(
    'refuses %j',
    (text) => {
      expect(readPulumiState(text)).toMatchObject({ kind: 'invalid' });
    },
  );
});

describe('parseManifest', () => {
  it('fills in what a manifest leaves out', () => {
    expect(parseManifest(manifest)).toMatchObject({
      kind: 'manifest',
      manifest: {
        environment: { stage: 'dev', remediation: 'manual', desiredState: { kind: 'applied' } },
        services: [{ id: 'shop', target: 'switchyard', strategy: { kind: 'blue-green' } }],
      },
    });
  });

  it.each([
    ['apiVersion: switchyard.dev/v2\ntenant: acme', 'apiVersion'],
    ['apiVersion: switchyard.dev/v1\ntenant: ACME', 'tenant'],
    ['apiVersion: switchyard.dev/v1\ntenant: acme\nserivces: []', ''],
    [
      'apiVersion: switchyard.dev/v1\ntenant: acme\nservices: [{id: a, version: "1"}, {id: a, version: "1"}]',
      'services',
    ],
    [
      'apiVersion: switchyard.dev/v1\ntenant: acme\nconfigurations: [{id: c, values: {"a b": x}}]',
      'configurations.0.values',
    ],
    ['a: [', ''],
    ['a: 1\na: 2', ''],
    [
      'a: &a [x]\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]',
      '',
    ],
  ])('refuses %j and says where', (text, path) => {
    const reading = parseManifest(text);
    expect(reading.kind).toBe('invalid');
    if (reading.kind === 'invalid') expect(reading.path.startsWith(path)).toBe(true);
  });
});

describe('createDesiredStateReader', () => {
  const view = new MemoryState(() => new VirtualClock().now());
  const readFile = async (): Promise<string> => JSON.stringify(stack);
  const git = { kind: 'git', repository: '/repo', ref: 'main', path: 'switchyard.yaml' } as const;
  const reader = (text: string) =>
    createDesiredStateReader({ readGitFile: async () => ({ commit: 'c0ffee', text }), readFile });

  it('reads a manifest of a repository at a commit, and a stack export', async () => {
    const read = reader(manifest);
    expect(await read({ ...sampleEnvironment, desiredState: git }, view)).toMatchObject({
      revision: 'c0ffee',
      services: [{ serviceId: 'shop', version: 'v7' }],
    });
    const pulumi = await read({ ...sampleEnvironment, desiredState: { kind: 'pulumi', file: 'stack.json' } }, view);
    expect(pulumi.revision).toMatch(/^pulumi:[0-9a-f]{16}$/);
    expect(pulumi.services).toHaveLength(2);
  });

  it.each([
    ['a: [', 'DESIRED_STATE_UNREADABLE'],
    [manifest.replace('acme', 'evil'), 'manifest of another environment'],
  ])('refuses %j', async (text, reason) => {
    const failing = reader(text)({ ...sampleEnvironment, desiredState: git }, view);
    await expect(failing).rejects.toSatisfy((error) =>
      `${(error as { code: string }).code} ${String(error)}`.includes(reason),
    );
  });
});
