/**
 * Bundles the entries of capabilities: `dist/bundle/<name>.mjs`, each one file with its thread programs inside, so that it
 * loads fast and has one digest. Beside them stand what is read as a file: models, and the WebAssembly of the ONNX
 * runtime. Called by `tools/build.ts`, and by tests, which write it elsewhere.
 */
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const entries = readdirSync(join(here, 'src/entries')).filter((name) => !name.includes('.test.'));

const threads = {
  sqlite: 'src/data/sqlite/sqlite-thread.ts',
  inference: 'src/inference/main.ts',
  compute: 'src/compute/main.ts',
  background: 'src/background/main.ts',
};

/** What the ONNX runtime opens by path; other builds of it are left out. */
const wasmFiles = ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

const common = {
  platform: 'node',
  // Only asked for when the native driver is asked for, which it never is.
  external: ['pg-native'],
  resolve: { conditionNames: ['switchyard-source', 'node'] },
  tsconfig: false,
};

/** The programs of threads as addresses that hold their code. */
export async function bundleThreads(names = Object.keys(threads)) {
  const programs = {};
  for (const name of names) {
    const bundle = await rolldown({ ...common, input: join(here, threads[name]) });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, minify: true });
    await bundle.close();
    programs[name] = `data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`;
  }
  return programs;
}

/** Writes all entries and what they open. Hosts may be loading the old ones: the new folder is renamed into place. */
export async function bundleEntries({ outDir = join(here, 'dist', 'bundle') } = {}) {
  const draft = `${outDir}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const files = filesModule(await bundleThreads());
  for (const entry of entries) {
    const bundle = await rolldown({
      ...common,
      input: join(here, 'src/entries', entry),
      plugins: [{ name: 'library-files', load: (id) => (id.endsWith('library-files.ts') ? files : null) }],
    });
    const file = join(draft, entry.replace(/\.ts$/, '.mjs'));
    await bundle.write({ file, format: 'esm', codeSplitting: false, minify: true });
    await bundle.close();
  }
  copyAll(join(here, 'models'), join(draft, 'models'), (name) => /\.(?:json|onnx)$/.test(name));
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  copyAll(runtime, join(draft, 'onnxruntime'), (name) => wasmFiles.includes(name));
  rmSync(outDir, { recursive: true, force: true });
  renameSync(draft, outDir);
  return outDir;
}

/** The counterpart of src/library-files.ts inside a bundle. */
function filesModule(programs) {
  const urls = Object.entries(programs).map(([name, address]) => `${name}: new URL(${JSON.stringify(address)})`);
  return {
    moduleType: 'js',
    code: `import { fileURLToPath } from 'node:url';
      export const threadPrograms = { ${urls.join(', ')} };
      export const modelFolder = fileURLToPath(new URL('./models', import.meta.url));
      export function findWasmFolder() { return fileURLToPath(new URL('./onnxruntime', import.meta.url)); }`,
  };
}

function copyAll(from, to, wanted) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter(wanted)) copyFileSync(join(from, name), join(to, name));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleEntries());
