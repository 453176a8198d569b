/**
 * The embedded vault: values sealed with AES-256-GCM in the store, under a key that stands in a file of its own.
 *
 * I1 A version is written once: whoever keeps it again gets the value that is there.
 * I2 What stands in the store opens with the key alone, and only as what it was sealed for: tenant, name and version.
 * I3 Disabling forgets the value; that there was one stays known, and it is never given out or made anew.
 */
import type { Random } from '@switchyard/kernel';
import { Secret } from '@switchyard/kernel';
import { createSeal, type Seal } from '../catalog/seal.ts';
import { workerErrors } from '../frame/errors.ts';
import type { DocumentWrite, Store } from '../store/contract.ts';
import type { Vault, VaultEntry } from './vault.ts';

const kind = 'vaultSecret';

interface SealedValue {
  /** Base64; empty once it is disabled. */
  readonly sealed: string;
}

/** `key` has 32 bytes. */
export function createStoreVault(
  deps: { readonly store: Pick<Store, 'commit' | 'documents'>; readonly random: Pick<Random, 'bytes'> },
  key: Uint8Array,
): Vault {
  return new StoreVault(deps.store, createSeal(deps.random, key));
}

class StoreVault implements Vault {
  readonly #store: Pick<Store, 'commit' | 'documents'>;
  readonly #seal: Seal;

  constructor(store: Pick<Store, 'commit' | 'documents'>, seal: Seal) {
    this.#store = store;
    this.#seal = seal;
  }

  async keep(entry: VaultEntry, value: Secret): Promise<Secret> {
    const sealed = Buffer.from(this.#seal.seal(value.reveal(), placeOf(entry))).toString('base64');
    const outcome = await this.#store.commit({ writes: [toWrite(entry, { sealed }, 0)] });
    if (outcome.kind === 'committed') return value;
    const known = await this.read(entry);
    if (known !== undefined) return known;
    throw workerErrors.create('VAULT_UNREADABLE', { name: entry.name, version: entry.version });
  }

  async read(entry: VaultEntry): Promise<Secret | undefined> {
    const found = await this.#store.documents.get(kind, keyOf(entry));
    if (found === undefined) return undefined;
    const { sealed } = found.value as unknown as SealedValue;
    if (sealed === '') return undefined;
    const opened = this.#seal.open(Buffer.from(sealed, 'base64'), placeOf(entry));
    if (opened !== undefined) return new Secret(opened.reveal());
    throw workerErrors.create('VAULT_UNREADABLE', { name: entry.name, version: entry.version });
  }

  async disable(entry: VaultEntry): Promise<void> {
    const found = await this.#store.documents.get(kind, keyOf(entry));
    if (found === undefined || (found.value as unknown as SealedValue).sealed === '') return;
    await this.#store.commit({ writes: [toWrite(entry, { sealed: '' })] });
  }
}

function toWrite(entry: VaultEntry, { sealed }: SealedValue, expectedRevision?: number): DocumentWrite {
  return {
    ...{ kind: 'put', documentKind: kind, key: keyOf(entry), tenantId: entry.tenantId, value: { sealed } },
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  } as const;
}

function keyOf({ tenantId, name, version }: VaultEntry): string {
  return `${tenantId}/${name}/${version}`;
}

function placeOf({ tenantId, name, version }: VaultEntry): readonly string[] {
  return ['vault', tenantId, name, String(version)];
}
