import { additionCases } from './cases/additions.ts';
import { executionCases } from './cases/execution.ts';
import { schedulingCases } from './cases/scheduling.ts';
import { statusCases } from './cases/status.ts';
import { submissionCases } from './cases/submission.ts';
import type { AgentCase } from './contract.ts';

export const allCases: readonly AgentCase[] = [
  ...statusCases,
  ...submissionCases,
  ...executionCases,
  ...schedulingCases,
  ...additionCases,
];
