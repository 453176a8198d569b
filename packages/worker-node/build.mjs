/**
 * Bundles the worker into one file, so that starting it opens one file: `dist/worker.cjs`, CommonJS because Node.js then
 * starts without its loader of ES modules. Called by `tools/build.ts`; `node build.mjs [folder]` does the same alone.
 *
 * The v3 library and the `long` package are in the file, but evaluated only when they are needed.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/** The v3 library decodes request bodies with iconv-lite: half a megabyte of tables, of which it uses five encodings. */
const textDecoding = join(here, 'src/model/text-decoding.ts');

/**
 * Writes the bundle into `outDir` and returns its path. Another process may be starting the old one meanwhile: the new
 * file is renamed into place.
 */
export async function bundleWorker({ outDir = join(here, 'dist') } = {}) {
  const bundle = await rolldown({
    input: join(here, 'src/main.ts'),
    platform: 'node',
    external: ['@azure/functions-core'],
    resolve: { conditionNames: ['switchyard-source', 'import', 'node'], alias: { 'iconv-lite': textDecoding } },
    treeshake: { moduleSideEffects: false },
    tsconfig: false,
  });
  try {
    const draft = join(outDir, `.worker-${process.pid}.cjs`);
    const target = join(outDir, 'worker.cjs');
    mkdirSync(outDir, { recursive: true });
    await bundle.write({ file: draft, format: 'cjs', codeSplitting: false, minify: true, sourcemap: false });
    renameSync(draft, target);
    rmSync(draft, { force: true });
    return target;
  } finally {
    await bundle.close();
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  console.log(await bundleWorker(folder === undefined ? {} : { outDir: resolve(folder) }));
}
