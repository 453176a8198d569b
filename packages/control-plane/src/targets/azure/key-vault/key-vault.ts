/**
 * Azure Key Vault as a vault: one secret for each binding, and a version of it for each version of the binding, told by a tag.
 *
 * I1 Of several versions with one number (two writers, a crash) the first one counts, for everybody.
 * I2 A secret that carries other tags than ours is not read: its name alone proves nothing.
 * I3 Disabling takes the value from everybody; the service forgets it when the secret itself is deleted, and not before.
 */
import type { SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { Secret } from '@switchyard/kernel';
import { workerErrors } from '../../../frame/errors.ts';
import { resourceNameOf } from '../../resource-name.ts';
import type { Vault, VaultEntry } from '../../vault.ts';
import { askAzure } from '../sdk/azure-access.ts';

const tags = { tenant: 'switchyard-tenant', name: 'switchyard-secret', version: 'switchyard-version' } as const;

/** The longest name of a secret. */
const maxNameLength = 127;

export function createKeyVault(client: SecretClient): Vault {
  return new KeyVault(client);
}

class KeyVault implements Vault {
  readonly #client: SecretClient;

  constructor(client: SecretClient) {
    this.#client = client;
  }

  async keep(entry: VaultEntry, value: Secret): Promise<Secret> {
    if ((await this.#find(entry)) === undefined) {
      const { tenantId, name, version } = entry;
      const own = { [tags.tenant]: tenantId, [tags.name]: name, [tags.version]: String(version) };
      await this.#ask('keep a secret', () =>
        this.#client.setSecret(secretNameOf(entry), value.reveal(), { tags: own }),
      );
    }
    const kept = await this.read(entry);
    if (kept !== undefined) return kept;
    throw workerErrors.create('VAULT_UNREADABLE', { name: entry.name, version: entry.version });
  }

  async read(entry: VaultEntry): Promise<Secret | undefined> {
    const found = await this.#find(entry);
    if (found?.version === undefined || found.enabled === false) return undefined;
    const { version } = found;
    const secret = await this.#ask('read a secret', () => this.#client.getSecret(secretNameOf(entry), { version }));
    return secret?.value === undefined ? undefined : new Secret(secret.value);
  }

  async disable(entry: VaultEntry): Promise<void> {
    const found = await this.#find(entry);
    if (found?.version === undefined || found.enabled === false) return;
    const { version } = found;
    await this.#ask('disable a secret', () =>
      this.#client.updateSecretProperties(secretNameOf(entry), version, { enabled: false }),
    );
  }

  /** The first of the versions with this number. */
  async #find(entry: VaultEntry): Promise<SecretProperties | undefined> {
    const found = await this.#ask('list the versions of a secret', async () => {
      const own: SecretProperties[] = [];
      for await (const one of this.#client.listPropertiesOfSecretVersions(secretNameOf(entry))) {
        if (isOf(one, entry)) own.push(one);
      }
      return own;
    });
    const [first] = [...(found ?? [])].sort(
      (left, right) =>
        (left.createdOn?.getTime() ?? 0) - (right.createdOn?.getTime() ?? 0) ||
        ((left.version ?? '') < (right.version ?? '') ? -1 : 1),
    );
    return first;
  }

  #ask<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    return askAzure({ computeTarget: 'key-vault', what }, ask);
  }
}

function isOf({ tags: found = {} }: SecretProperties, { tenantId, name, version }: VaultEntry): boolean {
  return found[tags.tenant] === tenantId && found[tags.name] === name && found[tags.version] === String(version);
}

/** Tells tenants and names apart, whatever they hold: no name of ours can have a slash without a digest. */
function secretNameOf({ tenantId, name }: VaultEntry): string {
  return resourceNameOf(`${tenantId}/${name}`, maxNameLength);
}
