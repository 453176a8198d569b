/**
 * Bundles the host program into `dist/host/main.cjs`: a thread or process that opens one file starts in half the time.
 * Called by `tools/build.ts`, and by tests, which write it elsewhere.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes the program and returns its path. Hosts may be starting the old one: the new one is renamed into place. */
export async function bundleHostProgram({ outDir = join(here, 'dist', 'host') } = {}) {
  mkdirSync(outDir, { recursive: true });
  const bundle = await rolldown({
    input: join(here, 'src/hosts/node/main.ts'),
    platform: 'node',
    resolve: { conditionNames: ['switchyard-source', 'node'] },
    tsconfig: false,
  });
  const program = join(outDir, 'main.cjs');
  const draft = join(outDir, `.main-${process.pid}.cjs`);
  await bundle.write({ file: draft, format: 'cjs', codeSplitting: false });
  await bundle.close();
  renameSync(draft, program);
  return program;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await bundleHostProgram());
