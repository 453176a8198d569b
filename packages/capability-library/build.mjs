/**
 * Bundles the entries of capabilities: `dist/bundle/<name>.mjs`, each one file with its thread programs inside, so that it
 * loads fast and has one digest. Beside them stands what is read as a file: models, the WebAssembly of the ONNX runtime,
 * and its thread. Called by `tools/build.ts`, and by tests, which write it elsewhere.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
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

/** The thread programs that an entry starts. */
const threadsOf = {
  'data-sql.ts': ['sqlite'],
  'ml-inference.ts': ['inference'],
  'compute.ts': ['compute'],
  'background.ts': ['background'],
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

/** Writes thread programs into a folder; returns their paths by name. */
export async function bundleThreads({ outDir, names = Object.keys(threads) }) {
  const paths = {};
  for (const name of names) {
    const bundle = await rolldown({ ...common, input: join(here, threads[name]) });
    paths[name] = join(outDir, `${name}-thread.mjs`);
    await bundle.write({ file: paths[name], format: 'esm', codeSplitting: false, minify: true });
    await bundle.close();
  }
  return paths;
}

/** Writes all entries and what they open. Hosts may be loading the old ones: the new folder is renamed into place. */
export async function bundleEntries({ outDir = join(here, 'dist', 'bundle') } = {}) {
  const draft = `${outDir}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const entry of entries) {
    const files = filesModule(await bundleThreads({ outDir: draft, names: threadsOf[entry] ?? [] }));
    const bundle = await rolldown({
      ...common,
      input: join(here, 'src/entries', entry),
      plugins: [{ name: 'library-files', load: (id) => (id.endsWith('library-files.ts') ? files : null) }],
    });
    const file = join(draft, entry.replace(/\.ts$/, '.mjs'));
    await bundle.write({ file, format: 'esm', codeSplitting: false, minify: true });
    await bundle.close();
  }
  writeFileSync(join(draft, 'digests.json'), JSON.stringify(digestsOf(draft), null, 2));
  copyAll(join(here, 'models'), join(draft, 'models'), (name) => /\.(?:json|onnx)$/.test(name));
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  copyAll(runtime, join(draft, 'onnxruntime'), (name) => wasmFiles.includes(name));
  rmSync(outDir, { recursive: true, force: true });
  renameSync(draft, outDir);
  return outDir;
}

/**
 * The counterpart of src/library-files.ts inside a bundle: thread programs become part of the code. Only that of the ONNX
 * runtime stays a file, because it looks for its WebAssembly from where it stands.
 */
function filesModule(paths) {
  const urls = Object.entries(paths).map(([name, path]) => {
    if (name === 'inference') return `${name}: new URL('./${basename(path)}', import.meta.url)`;
    const code = readFileSync(path).toString('base64');
    rmSync(path);
    return `${name}: new URL('data:text/javascript;base64,${code}')`;
  });
  return {
    moduleType: 'js',
    code: `import { fileURLToPath } from 'node:url';
      export const threadPrograms = { ${urls.join(', ')} };
      export const modelFolder = fileURLToPath(new URL('./models', import.meta.url));
      export function findWasmFolder() { return fileURLToPath(new URL('./onnxruntime', import.meta.url)); }`,
  };
}

/** The sha256 of each entry; a manifest names it, and the broker compares before every load. */
function digestsOf(folder) {
  const names = entries.map((entry) => entry.replace(/\.ts$/, '.mjs'));
  const digest = (name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, digest(name)]));
}

function copyAll(from, to, wanted) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter(wanted)) copyFileSync(join(from, name), join(to, name));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleEntries());
