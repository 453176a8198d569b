/**
 * Bundles the command lines into one file each: a start-up that opens two hundred files takes a tenth of a second longer.
 * `dist/bundle/main.mjs` is `switchyard`, `func.mjs` is `func`; beside them stand the chunks that they load.
 * `dist/pod-bundle/main.mjs` is what runs beside a worker in an image of its own. Called by `tools/build.ts`.
 *
 * What is loaded on demand only stays outside: the storage SDK, the JSON logger, the writer and reader of packages, and the
 * library of capabilities.
 */
import { renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { minifySync } from 'rolldown/utils';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes the bundles: the command lines, and the smaller one that the images of workers hold. */
export async function bundleCommandLine() {
  await write({ main: join(here, 'src/pod/main.ts') }, join(here, 'dist', 'pod-bundle'));
  const target = join(here, 'dist', 'bundle');
  await write({ main: join(here, 'src/main.ts'), func: join(here, 'src/func/main.ts') }, target);
  return join(target, 'main.mjs');
}

/** The official client of Kubernetes is generated code, most of it names and comments; our own stays readable. */
function minifyClusterClient(code, chunk) {
  return chunk.name === 'create-cluster-api' ? { code: minifySync(`${chunk.name}.mjs`, code).code } : null;
}

/** A running `switchyard` may be loading the old bundle: the new folder is renamed into place. */
async function write(input, target) {
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: [/^@azure\//, 'pino', 'yazl', 'yauzl', '@switchyard/capability-library'],
    // Its index imports every kind of resource that there is; what nobody names may stay away.
    treeshake: { moduleSideEffects: [{ test: /\/@kubernetes\/client-node\//, sideEffects: false }] },
    plugins: [{ name: 'small-cluster-client', renderChunk: minifyClusterClient }],
    // Without `import` or `require`: which of them holds is for each place that loads a package to say.
    resolve: { conditionNames: ['switchyard-source', 'node'] },
    tsconfig: false,
  });
  const draft = join(here, 'dist', `.bundle-${process.pid}`);
  try {
    await bundle.write({ dir: draft, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' });
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    await bundle.close();
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleCommandLine());
