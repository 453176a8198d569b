/**
 * Bundles the command lines into one file each: a start-up that opens two hundred files takes a tenth of a second longer.
 * `dist/bundle/main.mjs` is `switchyard`, `func.mjs` is `func`; beside them stand the chunks that they load. Called by
 * `tools/build.ts`.
 *
 * What is loaded on demand only stays outside: the storage SDK, the JSON logger, the writer and reader of packages, and the
 * library of capabilities.
 */
import { renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes the bundle. A running `switchyard` may be loading the old one: the new folder is renamed into place. */
export async function bundleCommandLine() {
  const bundle = await rolldown({
    input: { main: join(here, 'src/main.ts'), func: join(here, 'src/func/main.ts') },
    platform: 'node',
    external: [/^@azure\//, 'pino', 'yazl', 'yauzl', '@switchyard/capability-library'],
    // Without `import` or `require`: which of them holds is for each place that loads a package to say.
    resolve: { conditionNames: ['switchyard-source', 'node'] },
    tsconfig: false,
  });
  const draft = join(here, 'dist', `.bundle-${process.pid}`);
  const target = join(here, 'dist', 'bundle');
  try {
    await bundle.write({ dir: draft, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' });
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    return join(target, 'main.mjs');
  } finally {
    rmSync(draft, { recursive: true, force: true });
    await bundle.close();
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleCommandLine());
