/**
 * Bundles the worker into `dist/worker.mjs`, so that starting it opens one file. Called by `tools/build.ts`;
 * `node build.mjs` does the same alone.
 */
import { renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes the worker and returns its path. Other processes may be starting the old one meanwhile. */
export async function bundleWorker() {
  const bundle = await rolldown({
    input: join(here, 'src/main.ts'),
    platform: 'node',
    resolve: { conditionNames: ['switchyard-source', 'import', 'node'] },
    treeshake: { moduleSideEffects: false },
    tsconfig: false,
  });
  const target = join(here, 'dist', 'worker.mjs');
  const draft = `${target}.${process.pid}`;
  try {
    await bundle.write({ file: draft, format: 'esm', codeSplitting: false, minify: true });
    renameSync(draft, target);
    return target;
  } finally {
    await bundle.close();
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleWorker());
