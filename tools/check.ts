/**
 * Everything that must hold before a change is merged: generated code, types, lint, the rules of the house, documents
 * and tests. Runs all steps, then prints what failed; the last line counts the tests.
 *
 *     npm run check
 *     npm run check -- --except tests      leaves steps out, by name
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const reportFile = join(repository, 'node_modules', '.cache', 'switchyard-tests.json');
const compiler = 'node_modules/typescript/bin/tsc';

/** A step of the check; Node 24 runs the command in the root of the repository. */
interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
}

const steps: readonly Step[] = [
  { name: 'codegen', what: 'the generated code is current', command: ['tools/codegen.ts', '--check'] },
  { name: 'build', what: 'the packages compile', command: ['tools/build.ts'] },
  { name: 'types', what: 'tests and tools type-check', command: [compiler, '-p', 'tsconfig.test.json'] },
  { name: 'lint', what: 'Biome finds nothing', command: ['node_modules/@biomejs/biome/bin/biome', 'ci'] },
  { name: 'tidy', what: 'the rules of the house hold', command: ['tools/tidy/main.ts'] },
  { name: 'error-docs', what: 'docs/errors.md is current', command: ['tools/error-docs.ts', '--check'] },
  {
    name: 'tests',
    what: 'the tests pass (npm test)',
    command: ['tools/launch.mjs', 'test', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
  },
];

/** How many tests of the last run passed, failed and were left out. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function readCounts(): Counts {
  if (!existsSync(reportFile)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Record<string, number>;
  return {
    passed: report.numPassedTests ?? 0,
    failed: report.numFailedTests ?? 0,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
}

function runStep(step: Step): boolean {
  console.log(`\n== ${step.name}: ${step.what}`);
  const run = spawnSync(process.execPath, step.command, { cwd: repository, stdio: 'inherit' });
  if (run.error) console.error(`${step.command.join(' ')} could not be started: ${run.error.message}`);
  return run.status === 0;
}

function leftOut(): Set<string> {
  const at = process.argv.indexOf('--except');
  const names = at < 0 ? [] : process.argv.slice(at + 1);
  const unknown = names.find((name) => !steps.some((step) => step.name === name));
  if (unknown === undefined) return new Set(names);
  console.error(`There is no step '${unknown}'. Steps: ${steps.map((step) => step.name).join(', ')}.`);
  process.exit(2);
}

const omitted = leftOut();
mkdirSync(dirname(reportFile), { recursive: true });
rmSync(reportFile, { force: true });
const wanted = steps.filter((step) => !omitted.has(step.name));
const results = wanted.map((step) => ({ step, passed: runStep(step) }));

console.log('\nSummary');
for (const { step, passed } of results) console.log(`  ${passed ? 'ok    ' : 'FAILED'}  ${step.name}: ${step.what}`);
const counts = readCounts();
const broken = results.filter(({ passed }) => !passed);
// A failed step without a failed test of its own (a type error, a crash of the runner) counts as one failure.
const failed = counts.failed + broken.filter(({ step }) => step.name !== 'tests' || counts.failed === 0).length;
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`Total: ${counts.passed} passed, ${failed} failed${skipped}`);
process.exitCode = broken.length === 0 ? 0 : 1;
