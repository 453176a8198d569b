/**
 * Where the keys of an app are kept, by its setting `AzureWebJobsSecretStorageType`: `blob` is the container of the official
 * host, `files` a sealed file, and without it a file that developers can read.
 */
import { join } from 'node:path';
import type { Random } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';
import { type BlobContainer, type BlobService, findHostStorage } from '@switchyard/triggers';
import { standaloneErrors } from '../errors.ts';
import { createBlobKeyVault, type SecretBlobs } from './blob-key-vault.ts';
import { openFileKeyVault } from './file-key-vault.ts';
import type { KeyVault } from './key-vaults.ts';

export interface KeyVaultScope {
  readonly random: Pick<Random, 'bytes'>;
  /** The folder for files. */
  readonly folder: string;
  /** Called before the first file is written. */
  readonly prepare: () => Promise<void>;
  readonly blobs: BlobService;
  readonly settingsOf: (applicationId: string) => SettingsView | undefined;
  readonly hostIdOf: (applicationId: string) => string;
}

/** The container of the official host. */
const containerName = 'azure-webjobs-secrets';

const maxSecretBytes = 1_048_576;
const listLimit = 1_000;

/** Opens the readable file; what else an app asks for is opened when it is first needed. */
export async function openKeyVault(scope: KeyVaultScope): Promise<KeyVault> {
  const plain = await openFileKeyVault({ path: join(scope.folder, 'keys.json'), isSealed: false }, scope.random);
  let sealed: Promise<KeyVault> | undefined;
  const inBlobs = new Map<string, KeyVault>();
  const vaultOf = async (applicationId: string): Promise<KeyVault> => {
    const settings = scope.settingsOf(applicationId);
    switch (settings?.get('AzureWebJobsSecretStorageType')?.trim().toLowerCase() ?? '') {
      case '':
        return plain;
      case 'files':
        sealed ??= openFileKeyVault({ path: join(scope.folder, 'sealed-keys.json'), isSealed: true }, scope.random);
        return sealed;
      case 'blob': {
        const known = inBlobs.get(applicationId) ?? openBlobs(scope, applicationId);
        inBlobs.set(applicationId, known);
        return known;
      }
      default: {
        const type = settings?.get('AzureWebJobsSecretStorageType') ?? '';
        throw standaloneErrors.create('KEY_STORAGE_UNKNOWN', { applicationId, type });
      }
    }
  };
  return {
    place: plain.place,
    read: async (applicationId) => (await vaultOf(applicationId)).read(applicationId),
    async write(applicationId, keys) {
      await scope.prepare();
      await (await vaultOf(applicationId)).write(applicationId, keys);
    },
  };
}

function openBlobs({ settingsOf, hostIdOf, blobs }: KeyVaultScope, applicationId: string): KeyVault {
  const settings = settingsOf(applicationId);
  const connection = settings === undefined ? undefined : findHostStorage(settings);
  if (connection === undefined) throw standaloneErrors.create('KEY_STORAGE_UNREACHABLE', { applicationId });
  return createBlobKeyVault(secretBlobs(blobs.open(connection, containerName)), hostIdOf);
}

/** A container as the vault uses it; it is made when it is first written to. */
function secretBlobs(container: BlobContainer): SecretBlobs {
  const { signal } = new AbortController();
  return {
    place: `the container '${container.name}'`,
    async list(prefix) {
      const page = await container.list({ maxBlobs: listLimit, prefix }, signal);
      return page.kind === 'missing' ? [] : page.blobs.map(({ name }) => name);
    },
    async read(name) {
      const read = await container.read(name, { maxBytes: maxSecretBytes }, signal);
      return read.kind === 'found' ? Buffer.from(read.bytes).toString('utf8') : undefined;
    },
    async write(name, text) {
      const write = () => container.write(name, Buffer.from(text), { contentType: 'application/json' }, signal);
      const first = await write();
      if (first.kind !== 'missing') return;
      await container.create(signal);
      await write();
    },
  };
}
