import { manifestSchema, type TenantBinding } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { findOperatorPart } from './operator-parts.ts';

const manifest = (more: object) => manifestSchema.parse({ apiVersion: 'switchyard.dev/v1', tenant: 'acme', ...more });
const service = (...probes: object[]) => ({ services: [{ id: 'shop', version: 'v1', probes }] });
const http = { kind: 'http', name: 'home', url: 'http://127.0.0.1/' };
const exec = { kind: 'exec', name: 'look', command: ['true'] };
const desired = (desiredState: object) => ({ environment: { desiredState } });
const quota = { maxServices: 5, maxReplicas: 50 };
const binding = { environmentId: 'acme.default', tenantId: 'acme', isolationModel: 'pool', quota } as TenantBinding;

describe('findOperatorPart', () => {
  it.each<[what: string, parts: object, path: string | undefined]>([
    ['services with probes over the network', service(http), undefined],
    ['a program', service(http, exec), 'services.0.probes.1'],
    ['a file', desired({ kind: 'pulumi', file: '/etc/passwd' }), 'environment.desiredState'],
    ['a folder', desired({ kind: 'git', repository: '/srv/other' }), 'environment.desiredState'],
    ['a folder as a URL', desired({ kind: 'git', repository: 'file:///srv/other' }), 'environment.desiredState'],
    ['a repository elsewhere', desired({ kind: 'git', repository: 'https://git.example.com/shop' }), undefined],
    ['a generated secret', { secrets: [{ id: 'db', setting: 'DB' }] }, undefined],
    [
      'users of a database',
      { secrets: [{ id: 'db', setting: 'DB', kind: 'postgresql-user', connection: 'shop' }] },
      'secrets.0.kind',
    ],
    ['a quota', { environment: { quota } }, 'environment.quota'],
  ])('judges %s', (_, parts, path) => {
    expect(findOperatorPart(manifest(parts), undefined)?.path).toBe(path);
  });

  it('leaves a quota that somebody else has set as it is', () => {
    expect(findOperatorPart(manifest({ environment: { quota } }), binding)).toBeUndefined();
    expect(findOperatorPart(manifest({}), binding)).toMatchObject({ path: 'environment.quota' });
  });
});
