import { defineErrors } from '@switchyard/kernel';
import { exitCodes } from '../../exit-codes.ts';

/** A mistake in the command line. */
const byTheUser = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: exitCodes.usage.code } as const;

/** The agent is elsewhere, and does not do what was asked. */
const byTheAgent = { blame: 'dependency', retry: 'safe', http: 502, grpc: 14, exit: exitCodes.failed.code } as const;

/** What keeps a command from working with a node agent. */
export const jobErrors = defineErrors({
  JOB_USAGE: { ...byTheUser, message: '{problem}' },
  JOB_REJECTED: {
    ...byTheUser,
    exit: exitCodes.failed.code,
    message: 'The agent did not take the job ({code}): {reason}',
  },
  AGENT_JOB_UNKNOWN: { ...byTheUser, exit: exitCodes.failed.code, message: "No job '{jobId}' at {endpoint}: {reason}" },
  AGENT_UNREACHABLE: {
    ...byTheAgent,
    message:
      'No node agent answers at {endpoint}: {reason}. Start one with: switchyard agent. Or name a running one with --agent.',
  },
  AGENT_ANSWER_UNEXPECTED: {
    ...byTheAgent,
    retry: 'never',
    message: 'The node agent at {endpoint} answered {operation} with {status}: {reason}',
  },
});
