/**
 * Bundles the worker, so that starting it opens two files: `dist/worker.cjs`, which is the program, and beside it the
 * code that it launches. CommonJS, because Node.js then starts without its loader of ES modules. Called by
 * `tools/build.ts`; `node build.mjs [folder]` does the same alone.
 *
 * The v3 library and the `long` package are in the bundle, but evaluated only when they are needed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/** The v3 library decodes request bodies with iconv-lite: half a megabyte of tables, of which it uses five encodings. */
const textDecoding = join(here, 'src/model/text-decoding.ts');

/** Arguments of a host that is not there: the worker starts, fails to connect, and has filled its code cache. */
const nobody = ['--functions-uri', 'http://127.0.0.1:9/', '--functions-worker-id', 'none', '--functions-request-id'];
const nobodyArguments = [...nobody, 'none', '--functions-grpc-max-message-length', '1'];

/**
 * Writes the worker into `outDir` and returns the path of its program. Other processes may be starting the old one
 * meanwhile, so the new program is renamed into place when everything is there.
 */
export async function bundleWorker({ outDir = join(here, 'dist') } = {}) {
  mkdirSync(outDir, { recursive: true });
  const code = await bundle('src/main.ts', {});
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const name = `worker-${hash}.bundle`;
  replaceFile(join(outDir, name), code);
  const program = join(outDir, 'worker.cjs');
  replaceFile(program, await bundle('src/launcher.ts', { SWITCHYARD_WORKER_BUNDLE: JSON.stringify(name) }));
  for (const file of readdirSync(outDir))
    if (/^worker-[0-9a-f]{16}\.bundle/.test(file) && !file.startsWith(name))
      rmSync(join(outDir, file), { force: true });
  spawnSync(process.execPath, [program, ...nobodyArguments], { stdio: 'ignore' });
  return program;
}

async function bundle(input, define) {
  const build = await rolldown({
    input: join(here, input),
    platform: 'node',
    external: ['@azure/functions-core'],
    resolve: { conditionNames: ['switchyard-source', 'import', 'node'], alias: { 'iconv-lite': textDecoding } },
    transform: { define },
    treeshake: { moduleSideEffects: false },
    tsconfig: false,
  });
  try {
    const { output } = await build.generate({ format: 'cjs', codeSplitting: false, minify: true });
    if (output.length !== 1) throw new Error(`${input} was bundled into ${output.length} files instead of one`);
    return output[0].code;
  } finally {
    await build.close();
  }
}

function replaceFile(path, text) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  console.log(await bundleWorker(folder === undefined ? {} : { outDir: resolve(folder) }));
}
