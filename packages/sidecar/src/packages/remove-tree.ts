import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a folder with all that is in it, also when its folders were sealed. Harmless when it is not there. */
export async function removeTree(path: string): Promise<void> {
  try {
    await unseal(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw thrown;
  }
  await rm(path, { recursive: true, force: true });
}

/** Lets the owner take entries out of the folder and the ones below it. */
async function unseal(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await chmod(folder, 0o755);
  for (const entry of entries) if (entry.isDirectory()) await unseal(join(folder, entry.name));
}
