import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, type Secret } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';

/** The file in the data folder by which commands on the same machine find the control API. */
export const controlFileName = 'control.json';

/** Owner reads and writes, nobody else: it holds a token. */
const privateMode = 0o600;

export interface ControlAccess {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: Secret;
}

/** Writes the file whole, so that a reader sees the old one or the new one. Rejects with DATA_FOLDER_UNWRITABLE. */
export async function writeControlFile(dataDirectory: string, { endpoint, token }: ControlAccess): Promise<void> {
  const path = join(dataDirectory, controlFileName);
  const draft = `${path}.new`;
  try {
    await rm(draft, { force: true });
    await writeFile(draft, `${JSON.stringify({ endpoint, token: token.reveal() })}\n`, {
      mode: privateMode,
      flag: 'wx',
    });
    await rename(draft, path);
  } catch (error) {
    throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  }
}

/** The installation has ended: nobody should look for it. */
export async function removeControlFile(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, controlFileName), { force: true });
}
