/**
 * Runs the conformance kit on a host that serves the fixture app: `node main.ts --url http://localhost:7071 --storage
 * "<connection string>" --key <master key>`. Ends with 1 when a case failed, 2 when it was called wrongly.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '@switchyard/kernel';
import { allCases } from './all-cases.ts';
import type { Target } from './open-kit.ts';
import { type CaseResult, runCases } from './run-cases.ts';

const usage =
  'Usage: node main.ts --url <base URL> [--storage <connection string>] [--key <master key>] [--custom <base URL>] [--only <text>]';

async function main(): Promise<number> {
  const { target, only } = readTarget();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const cases = allCases.filter(({ section, name }) => `${section}: ${name}`.includes(only));
  await runCases(cases, target, (result) => {
    counts[result.kind] += 1;
    if (result.kind !== 'passed') console.log(toLine(result));
  });
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped.`);
  return counts.failed === 0 ? 0 : 1;
}

function readTarget(): { target: Target; only: string } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { url: text, storage: text, key: text, custom: text, only: text } });
  const { url, storage, key, custom, only = '' } = values;
  if (url === undefined) throw new Error('--url is missing.');
  return {
    target: { url, storage: storage === 'dev' ? 'UseDevelopmentStorage=true' : storage, key, customUrl: custom },
    only,
  };
}

function toLine({ kind, case: { section, name }, reason }: Exclude<CaseResult, { kind: 'passed' }>): string {
  return `${kind === 'failed' ? 'FAILED ' : 'skipped'} ${section}: ${name}\n        ${reason.replaceAll('\n', '\n        ')}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${messageOf(error)}\n${usage}`);
  process.exitCode = 2;
}
