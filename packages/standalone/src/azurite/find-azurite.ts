import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The program inside the package that runs all three services. */
const mainScript = join('dist', 'src', 'azurite.js');

/**
 * The main script of the storage emulator, as a module in one of the folders would find it; the first that has one
 * wins. Undefined when none has.
 */
export function findAzurite(folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    const script = resolveFrom(folder);
    if (script !== undefined && existsSync(script)) return script;
  }
  return undefined;
}

function resolveFrom(folder: string): string | undefined {
  try {
    return join(dirname(createRequire(join(folder, 'package.json')).resolve('azurite/package.json')), mainScript);
  } catch {
    return undefined;
  }
}
