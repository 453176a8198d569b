import { messageOf } from '@switchyard/kernel';
import type { AgentCase } from './contract.ts';
import { type AgentTarget, openAgent } from './open-agent.ts';

export interface CaseResult {
  readonly case: AgentCase;
  /** Undefined for a case that passed. */
  readonly reason: string | undefined;
}

/** Cases that run at the same time. */
const lanes = 4;

/** Runs every case, those that fill the agent last and one by one. Results come in the order of their ends. */
export async function runCases(
  cases: readonly AgentCase[],
  target: AgentTarget,
  onResult: (result: CaseResult) => void,
): Promise<void> {
  const agent = openAgent(target);
  const run = async (tested: AgentCase): Promise<void> => {
    try {
      await tested.run(agent);
      onResult({ case: tested, reason: undefined });
    } catch (error) {
      onResult({ case: tested, reason: messageOf(error) });
    }
  };
  const peaceful = cases.filter(({ isDisruptive }) => isDisruptive !== true).values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const tested of peaceful) await run(tested);
    }),
  );
  for (const tested of cases) if (tested.isDisruptive === true) await run(tested);
}
