import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files by their paths; a value that is no text is written as JSON. */
export type Files = Readonly<Record<string, unknown>>;

/** A folder for one test. */
export interface TestFolder {
  readonly path: string;
  /** Writes files below the folder; returns the path of `name`. */
  write(name: string, files: Files): Promise<string>;
  remove(): Promise<void>;
}

/** Makes a folder that is gone after the test. */
export async function openTestFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
  return {
    path,
    async write(name, files) {
      const root = join(path, name);
      await mkdir(root, { recursive: true });
      for (const [file, content] of Object.entries(files)) {
        await mkdir(dirname(join(root, file)), { recursive: true });
        await writeFile(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
      }
      return root;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
