import * as sdk from '@azure/identity';
import { Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import type { IdentitySettings } from '../identity/identity-settings.ts';
import { createAzureIdentities } from './azure-identities.ts';

const secret: IdentitySettings = {
  kind: 'client-secret',
  tenantId: 'f0000000-0000-0000-0000-000000000000',
  clientId: 'c',
  clientSecret: new Secret('s'),
  authorityHost: undefined,
};
const ambient: readonly IdentitySettings[] = [
  { kind: 'default', clientId: undefined, tenantId: undefined },
  { kind: 'managed', clientId: undefined, resourceId: undefined },
  { kind: 'workload', clientId: undefined, tenantId: undefined },
];

describe('createAzureIdentities', () => {
  it('I1: gives nobody the identity of the process, unless the host allows it', async () => {
    const identities = createAzureIdentities({ allowsAmbient: false }, async () => sdk);
    for (const identity of ambient) {
      await expect(identities.credentialOf(identity)).rejects.toMatchObject({ code: 'IDENTITY_NOT_ALLOWED' });
    }
  });

  it('makes what the settings ask for, and keeps it', async () => {
    const identities = createAzureIdentities({ allowsAmbient: true }, async () => sdk);
    const [first, second] = [await identities.credentialOf(secret), await identities.credentialOf({ ...secret })];
    expect(first).toBeInstanceOf(sdk.ClientSecretCredential);
    expect(second).toBe(first);
    const other = await identities.credentialOf({ ...secret, clientSecret: new Secret('t') });
    expect(other).not.toBe(first);
    const managed = await identities.credentialOf({ kind: 'managed', clientId: 'c', resourceId: undefined });
    expect(managed).toBeInstanceOf(sdk.ManagedIdentityCredential);
    const whoever = await identities.credentialOf({ kind: 'default', clientId: undefined, tenantId: undefined });
    expect(whoever).toBeInstanceOf(sdk.DefaultAzureCredential);
  });

  it('says which package is missing, and tries again later', async () => {
    let tries = 0;
    const identities = createAzureIdentities({ allowsAmbient: false }, async () => {
      tries += 1;
      if (tries === 1) throw new Error('not installed');
      return sdk;
    });
    await expect(identities.credentialOf(secret)).rejects.toMatchObject({ code: 'IDENTITY_SDK_MISSING' });
    await expect(identities.credentialOf(secret)).resolves.toBeDefined();
  });
});
