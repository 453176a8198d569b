/** What an installation with several Runtimes remembers of its last start: how often it has started, and who may be left of it. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface FleetGeneration {
  /** Greater at every start. */
  readonly generation: number;
  /** A Runtime that somebody else has started may live on from the time before; ours end with us. */
  readonly hasPredecessors: boolean;
  /** Such a Runtime has joined. */
  readonly noteOutsider: () => void;
}

export async function readGeneration(dataDirectory: string): Promise<FleetGeneration> {
  const path = join(dataDirectory, 'fleet.json');
  const before = await read(path);
  const generation = before.generation + 1;
  const write = async (hasOutsiders: boolean): Promise<void> => {
    await writeFile(`${path}.new`, JSON.stringify({ generation, hasOutsiders }));
    await rename(`${path}.new`, path);
  };
  await write(before.hasOutsiders);
  let isNoted = before.hasOutsiders;
  return {
    generation,
    hasPredecessors: before.hasOutsiders,
    noteOutsider() {
      if (isNoted) return;
      isNoted = true;
      // Not written, it is only missed after a crash within these milliseconds.
      void write(true).catch(() => {});
    },
  };
}

async function read(path: string): Promise<{ readonly generation: number; readonly hasOutsiders: boolean }> {
  try {
    const json = JSON.parse(await readFile(path, 'utf8')) as { generation?: unknown; hasOutsiders?: unknown };
    const { generation, hasOutsiders } = json;
    if (typeof generation === 'number') return { generation, hasOutsiders: hasOutsiders === true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { generation: 0, hasOutsiders: false };
  }
  // Unreadable: as if it had started a million times, and as if somebody were left.
  return { generation: 1_000_000, hasOutsiders: true };
}
