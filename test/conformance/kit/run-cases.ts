import { messageOf } from '@switchyard/kernel';
import type { ConformanceCase } from './contract.ts';
import { missingFor, openKit, type Target } from './open-kit.ts';

export type CaseResult =
  | { readonly kind: 'passed'; readonly case: ConformanceCase }
  | { readonly kind: 'failed'; readonly case: ConformanceCase; readonly reason: string }
  | { readonly kind: 'skipped'; readonly case: ConformanceCase; readonly reason: string };

/** Cases that run at the same time: most of them wait for the host's own periods. */
const concurrency = 16;

/** Runs every case on a host, disruptive ones last and one by one. Results come in the order of their ends. */
export async function runCases(
  cases: readonly ConformanceCase[],
  target: Target,
  onResult: (result: CaseResult) => void,
): Promise<void> {
  const kit = openKit(target);
  const run = async (tested: ConformanceCase): Promise<void> => {
    const missing = missingFor(tested, target);
    if (missing !== undefined) {
      onResult({ kind: 'skipped', case: tested, reason: `it needs --${missing}` });
      return;
    }
    try {
      await tested.run(kit);
      onResult({ kind: 'passed', case: tested });
    } catch (error) {
      onResult({ kind: 'failed', case: tested, reason: messageOf(error) });
    }
  };
  const peaceful = cases.filter(({ isDisruptive }) => isDisruptive !== true).values();
  const lanes = Array.from({ length: concurrency }, async () => {
    for (const tested of peaceful) await run(tested);
  });
  await Promise.all(lanes);
  for (const tested of cases) if (tested.isDisruptive === true) await run(tested);
}
