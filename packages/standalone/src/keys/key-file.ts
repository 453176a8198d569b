/** Keys of all apps of a process in one file that its owner alone can read, as text. */
import type { Random } from '@switchyard/kernel';
import { openFileKeyVault } from './file-key-vault.ts';
import { AppKeyStores } from './key-store.ts';

export type KeyFile = AppKeyStores;

export const KeyFile = {
  /** Reads the file, or begins an empty one. Rejects with KEYS_FILE_INVALID or DATA_FOLDER_UNWRITABLE. */
  async open(path: string, random: Pick<Random, 'bytes'>): Promise<KeyFile> {
    return new AppKeyStores(await openFileKeyVault({ path, isSealed: false }, random), random);
  },
};
