import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppDownload } from '@switchyard/runtime';

/** Packs an app's folder into a zip archive at `target`, which does not exist yet. */
export type PackFolder = (directory: string, target: string) => Promise<unknown>;

/** Packs an app for one download. What that takes on the disk goes when the stream is closed, however it ended. */
export async function packDownload(pack: PackFolder, directory: string): Promise<AppDownload> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-download-'));
  const clear = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const target = join(folder, 'app.zip');
    await pack(directory, target);
    const { size: sizeBytes } = await stat(target);
    const stream = createReadStream(target);
    stream.once('close', () => void clear());
    return { stream, sizeBytes };
  } catch (thrown) {
    await clear();
    throw thrown;
  }
}
