/**
 * The front door of every npm script, in plain JavaScript that Node 20 understands: installs the dependencies when they
 * are missing or stale, finds Node 24, builds what is out of date, and runs the task with that Node.
 *
 *     node tools/launch.mjs <start|test|check|bench|build|codegen> [arguments ...]
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../packages/cli/bin/find-node.mjs';
import { runNode } from '../packages/cli/bin/run-node.mjs';
import { stopWithShell } from './stop-with-shell.mjs';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(repository, 'node_modules', '.switchyard-install');

/** Each task is a list of commands for Node 24; `{args}` stands for the arguments of the call. */
const tasks = {
  build: [['tools/build.ts']],
  start: [['tools/build.ts'], ['packages/cli/bin/switchyard.js', 'dev', '--examples', '{args}']],
  test: [['tools/build.ts'], ['node_modules/vitest/vitest.mjs', 'run', '{args}']],
  check: [['tools/check.ts', '{args}']],
  bench: [['tools/build.ts'], ['test/bench/main.ts', '{args}']],
  codegen: [['tools/codegen.ts', '{args}']],
};

function installWhenStale() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  console.error('Installing dependencies (once) ...');
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const run = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: repository,
    stdio: ['ignore', 2, 2],
    shell: !npm && process.platform === 'win32',
  });
  if (run.status !== 0) fail('npm could not install the dependencies: see its messages above.');
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [task, ...args] = process.argv.slice(2);
const commands = tasks[task];
if (!commands) fail(`Unknown task '${task}'. Tasks: ${Object.keys(tasks).join(', ')}.`);
installWhenStale();
const node = findNode24(repository);
if (node.kind === 'missing') fail(node.message);
stopWithShell();

for (const command of commands) {
  const expanded = command.flatMap((part) => (part === '{args}' ? args : [part]));
  const exitCode = await runNode(node.path, expanded, { cwd: repository }).catch((error) =>
    fail(`${node.path} could not be started: ${error.message}`),
  );
  if (exitCode !== 0) process.exit(exitCode);
}
