import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of files that a test makes up. Whoever made it removes it. */
export interface AppFolder {
  readonly path: string;
  write(file: string, text: string): void;
  remove(): void;
}

/** Writes the files, by path and text, into a new temporary folder. */
export function createAppFolder(files: Readonly<Record<string, string>>): AppFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-app-')));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}
