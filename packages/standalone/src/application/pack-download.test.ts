import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { packDownload } from './pack-download.ts';

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('packDownload', () => {
  it('gives what was packed, and leaves nothing on the disk', async () => {
    let target = '';
    const download = await packDownload(async (directory, file) => {
      target = file;
      await writeFile(file, `packed ${directory}`);
    }, '/apps/shop');
    expect(download.sizeBytes).toBe('packed /apps/shop'.length);
    expect(await text(download.stream)).toBe('packed /apps/shop');
    await expect.poll(() => isThere(dirname(target))).toBe(false);
  });

  it('leaves nothing on the disk when the caller goes away, or when it cannot be packed', async () => {
    const targets: string[] = [];
    const pack = async (_directory: string, file: string): Promise<void> => {
      targets.push(file);
      if (targets.length > 1) throw new Error('no app');
      await writeFile(file, 'x');
    };
    const { stream } = await packDownload(pack, '/apps/shop');
    stream.destroy();
    await once(stream, 'close');
    await expect(packDownload(pack, '/apps/shop')).rejects.toThrow('no app');
    for (const target of targets) await expect.poll(() => isThere(dirname(target))).toBe(false);
  });
});
