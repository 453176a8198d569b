/**
 * Builds what is out of date: the packages (`tsc -b`), their bundles, and the TypeScript examples. Says nothing and
 * starts nothing when no input changed since the last build.
 *
 *     npm run build              builds what changed
 *     npm run build -- --force   builds everything
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(repository, 'node_modules', '.cache', 'switchyard-build');
const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');

/** Folders that hold no input of a build. */
const skipped = new Set(['node_modules', 'dist', '.switchyard', 'fixtures', 'test', 'docs', '.git', '.ci']);

/** One step: a command, and what it makes. */
interface Step {
  readonly title: string;
  readonly command: readonly string[];
  /** True when what it prints is no message for people. */
  readonly quiet?: boolean;
}

/** The steps, in order. */
function steps(): Step[] {
  const bundles = foldersOf('packages').filter((folder) => existsSync(join(folder, 'build.mjs')));
  const examples = foldersOf('examples').filter((folder) => existsSync(join(folder, 'tsconfig.json')));
  return [
    { title: 'packages', command: [compiler, '-b', ...process.argv.slice(2).filter((flag) => flag === '--force')] },
    ...bundles.map((folder) => ({
      title: `bundle of ${nameOf(folder)}`,
      command: [join(folder, 'build.mjs')],
      quiet: true,
    })),
    ...examples.map((folder) => ({ title: `example ${nameOf(folder)}`, command: [compiler, '-p', folder] })),
  ];
}

function run(step: Step): void {
  process.stderr.write(`Building: ${step.title} ...\n`);
  const result = spawnSync(process.execPath, step.command, {
    cwd: repository,
    stdio: ['ignore', step.quiet ? 'ignore' : 2, 2],
  });
  if (result.status === 0) return;
  process.stderr.write(`The build stopped at: ${step.title}. Its messages stand above.\n`);
  process.exit(1);
}

/** Changes when an input changes, or when an output is gone. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const roots = ['packages', 'examples'].map((folder) => join(repository, folder));
  for (const root of roots) addFolder(root, (line) => hash.update(line));
  const single = ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json', 'tools/build.ts'];
  for (const file of single) hash.update(lineOf(join(repository, file)));
  for (const output of outputs()) hash.update(`${output} ${existsSync(output)}\n`);
  return hash.digest('hex');
}

/** What a finished build has written, as far as its absence shows. */
function outputs(): string[] {
  const dists = ['packages', 'examples'].flatMap(foldersOf).map((folder) => join(folder, 'dist'));
  return [
    ...dists.map((dist) => join(dist, 'index.js')),
    ...dists,
    join(repository, 'packages/worker-node/dist/worker.cjs'),
    join(repository, 'packages/worker-custom/dist/worker.mjs'),
    join(repository, 'packages/cli/dist/bundle/main.mjs'),
  ];
}

function addFolder(folder: string, add: (line: string) => void): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name) || entry.name.endsWith('.test.ts')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) addFolder(path, add);
    else if (entry.isFile()) add(lineOf(path));
  }
}

function lineOf(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${path} ${mtimeMs} ${size}\n`;
}

function foldersOf(parent: string): string[] {
  const root = join(repository, parent);
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

function nameOf(folder: string): string {
  return folder.slice(repository.length + 1);
}

function readStamp(): string | undefined {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

if (process.argv.includes('--force') || readStamp() !== fingerprint()) {
  rmSync(stampFile, { force: true });
  for (const step of steps()) run(step);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint());
}
