/** The secrets that settings refer to with `@Microsoft.KeyVault(...)`, out of the vaults that they name. */
import type { SecretClient } from '@azure/keyvault-secrets';
import { askAzure } from '../sdk/azure-access.ts';

export interface ReferencedSecret {
  /** The name of the vault, without its domain. */
  readonly vault: string;
  readonly secret: string;
  /** Undefined for the newest one. */
  readonly version: string | undefined;
}

/** Undefined when there is no such secret. */
export type ReadReference = (reference: ReferencedSecret) => Promise<string | undefined>;

/** A name of a vault; what is none is never made part of an address. */
const vaultName = /^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/;

/** One client for each vault, made when it is named first. */
export function createReadReference(clientOf: (vault: string) => SecretClient): ReadReference {
  const clients = new Map<string, SecretClient>();
  return async ({ vault, secret, version }) => {
    if (!vaultName.test(vault)) return undefined;
    const client = clients.get(vault) ?? clientOf(vault);
    clients.set(vault, client);
    const found = await askAzure({ computeTarget: 'key-vault', what: 'read a secret' }, () =>
      client.getSecret(secret, version === undefined ? {} : { version }),
    );
    return found?.value;
  };
}
