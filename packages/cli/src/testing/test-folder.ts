import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder for one test, gone after it. */
export interface TestFolder {
  readonly path: string;
  /** Writes files by their paths; a value that is no text is written as JSON. */
  write(files: Readonly<Record<string, unknown>>): Promise<void>;
  read(path: string): Promise<string>;
  remove(): Promise<void>;
}

export async function openTestFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-cli-'));
  return {
    path,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
      }
    },
    read: (name) => readFile(join(path, name), 'utf8'),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
