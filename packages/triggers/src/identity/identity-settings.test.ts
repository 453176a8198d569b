import { Secret } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { readIdentity } from './identity-settings.ts';

const read = (members: Record<string, string>, settings: Record<string, string> = {}) =>
  readIdentity(
    new Map(Object.entries(members).map(([name, value]) => [name, new Secret(value)])),
    createSettingsView(Object.entries(settings)),
  );

describe('readIdentity', () => {
  it.each([
    [{}, { kind: 'default' }],
    [
      { clientid: 'c', tenantid: 't' },
      { kind: 'default', clientId: 'c', tenantId: 't' },
    ],
    [{ credential: 'ManagedIdentity' }, { kind: 'managed' }],
    [
      { credential: 'managedidentity', clientid: 'c' },
      { kind: 'managed', clientId: 'c' },
    ],
    [
      { credential: 'managedidentity', managedidentityresourceid: 'r' },
      { kind: 'managed', resourceId: 'r' },
    ],
    [
      { credential: 'workloadidentity', clientid: 'c' },
      { kind: 'workload', clientId: 'c' },
    ],
    [
      { clientid: 'c', tenantid: 't', clientsecret: 's' },
      { kind: 'client-secret', clientId: 'c', tenantId: 't' },
    ],
  ])('%j', (members, identity) => {
    expect(read(members)).toMatchObject({ kind: 'identity', identity });
  });

  it.each([
    [{ credential: 'managedidentity', clientid: 'c', managedidentityresourceid: 'r' }, {}, 'only one may be there'],
    [{ credential: 'certificate' }, {}, 'neither "managedidentity" nor'],
    [{ clientsecret: 's', clientid: 'c' }, {}, 'not both of'],
    [
      { clientid: 'c', tenantid: 't', clientsecret: 's' },
      { AZURE_AUTHORITY_HOST: 'http://127.0.0.1:1' },
      'no https address',
    ],
  ])('refuses %j', (members, settings, problem) => {
    const result = read(members, settings);
    expect(result).toMatchObject({ kind: 'invalid', problem: expect.stringContaining(problem) });
  });

  it('never shows the secret', () => {
    expect(JSON.stringify(read({ clientid: 'c', tenantid: 't', clientsecret: 'hidden' }))).not.toContain('hidden');
  });
});
