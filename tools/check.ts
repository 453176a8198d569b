/**
 * Everything that must hold before a change is merged: generated code, types, lint, the rules of the house, documents
 * and tests. Runs all steps, then prints what failed; the last line counts the tests.
 *
 *     npm run check
 *     npm run check -- --except tests      leaves steps out, by name
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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

/** What is read of Vitest's JSON report. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The last run: how many tests passed, failed and were left out, and a text for each that failed. */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

function readOutcome(): Outcome {
  if (!existsSync(reportFile)) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as TestReport;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: failuresOf(report),
  };
}

function failuresOf({ testResults }: TestReport): string[] {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const file = relative(repository, name);
    const failed = assertionResults.filter((result) => result.status === 'failed');
    // A file that could not be loaded, or whose hooks threw, has no failed test of its own.
    if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLines(message)}`] : [];
    return failed.map((result) => `${file} > ${result.fullName}: ${firstLines(result.failureMessages.join('\n'))}`);
  });
}

/** As much of a message as says what happened; the whole of it stands above, with the test. */
function firstLines(message: string): string {
  return message.split('\n').slice(0, 12).join('\n    ').slice(0, 1_000);
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
const outcome = readOutcome();
for (const failure of outcome.failures) console.log(`  FAILED  ${failure}`);
const broken = results.filter(({ passed }) => !passed);
// A failed step without a failed test of its own (a type error, a crash of the runner) counts as one failure.
const failed = outcome.failed + broken.filter(({ step }) => step.name !== 'tests' || outcome.failed === 0).length;
const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
console.log(`Total: ${outcome.passed} passed, ${failed} failed${skipped}`);
process.exitCode = broken.length === 0 ? 0 : 1;
