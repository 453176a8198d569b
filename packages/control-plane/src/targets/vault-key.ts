/**
 * The key under which the embedded vault seals its values. It stands in the data folder, or where somebody has mounted it.
 *
 * I1 A key is made once, where the installation itself starts for the first time: never where one was named, for workers
 *    elsewhere, or for a store that has its key already.
 * I2 A key is shown to be the one of the store before anything is sealed or opened with it.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log, Random } from '@switchyard/kernel';
import { createSeal, openKeyFile } from '../catalog/seal.ts';
import { controlErrors } from '../errors.ts';
import type { Store } from '../store/contract.ts';

export interface VaultKeyPlace {
  /** The data folder; the key is `vault.key` there where `file` names none. */
  readonly directory: string;
  /** An absolute path. */
  readonly file?: string | undefined;
  /** False for workers of an installation that runs elsewhere: they need the key that it has made. */
  readonly mayMake: boolean;
}

export interface VaultKeyDeps {
  readonly log: Log;
  readonly random: Pick<Random, 'bytes' | 'uuid'>;
  readonly store: Pick<Store, 'commit' | 'documents'>;
}

/** What the proof is sealed as; no value of the vault has such a place. */
const proofPlace = ['vault key'];
const proofText = 'This store is sealed with this key.';
const proofKind = 'vaultKey';
const proofKey = 'proof';

/** Rejects with CATALOG_KEY_UNUSABLE, VAULT_KEY_MISSING or VAULT_KEY_FOREIGN. */
export async function openVaultKey(deps: VaultKeyDeps, place: VaultKeyPlace): Promise<Uint8Array> {
  const { log, random, store } = deps;
  const file = place.file ?? join(place.directory, 'vault.key');
  const mayMake = place.file === undefined && place.mayMake && !(await hasProof(store));
  if (!mayMake && statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw controlErrors.create('VAULT_KEY_MISSING', { file });
  }
  const key = openKeyFile(random, file, { mayMake, isMounted: place.file !== undefined });
  if (place.file !== undefined && process.platform !== 'win32' && (statSync(file).mode & 0o004) !== 0) {
    log.write('warning', 'The key of the vault can be read by every user of this machine', { file });
  }
  await prove(deps, key, file);
  return key;
}

async function hasProof(store: Pick<Store, 'documents'>): Promise<boolean> {
  return (await store.documents.get(proofKind, proofKey)) !== undefined;
}

async function prove({ random, store }: VaultKeyDeps, key: Uint8Array, file: string): Promise<void> {
  const seal = createSeal(random, key);
  const sealed = Buffer.from(seal.seal(proofText, proofPlace)).toString('base64');
  const proof = { documentKind: proofKind, key: proofKey, tenantId: '', value: { sealed } };
  const outcome = await store.commit({ writes: [{ kind: 'put', ...proof, expectedRevision: 0 }] });
  if (outcome.kind === 'committed') return;
  const found = await store.documents.get(proofKind, proofKey);
  const known = (found?.value as { readonly sealed?: unknown } | undefined)?.sealed;
  const opened = typeof known === 'string' ? seal.open(Buffer.from(known, 'base64'), proofPlace) : undefined;
  if (opened?.reveal() !== proofText) throw controlErrors.create('VAULT_KEY_FOREIGN', { file });
}
