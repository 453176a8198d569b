/**
 * Runs the kit on any node agent:
 *
 *     node test/conformance/agent/main.ts --url http://127.0.0.1:9000 --image busybox
 *     node test/conformance/agent/main.ts --url ... --image ... --v1      without what Switchyard adds to version 1
 *
 * Needs Node 24. Ends with 1 when a case failed, 2 when it was called wrongly.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '@switchyard/kernel';
import { allCases } from './all-cases.ts';
import { runCases } from './run-cases.ts';

const usage = 'Usage: node main.ts --url <URL> --image <image> [--token <token>] [--v1] [--only <text>]';

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { url: text, image: text, token: text, only: text, v1: { type: 'boolean' } },
  });
  const { url, image, token, only = '', v1 = false } = values;
  if (url === undefined || image === undefined) throw new Error('--url and --image are needed.');
  const cases = allCases.filter(
    ({ section, name, isAddition }) => `${section}: ${name}`.includes(only) && !(v1 && isAddition === true),
  );
  let failed = 0;
  await runCases(cases, { url, image, token }, ({ case: { section, name }, reason }) => {
    if (reason === undefined) return;
    failed += 1;
    console.log(`FAILED ${section}: ${name}\n       ${reason.replaceAll('\n', '\n       ')}`);
  });
  console.log(`${cases.length - failed} passed, ${failed} failed.`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${messageOf(error)}\n${usage}`);
  process.exitCode = 2;
}
