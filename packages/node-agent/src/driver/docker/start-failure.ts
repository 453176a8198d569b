/** Why a container did not start, from the engine's words. Pure. */
import type { JobError } from '@switchyard/protocol/job-api';
import { isUnreachable, reasonOf, statusOf } from './engine-client.ts';

/** What the engine says of a program that it cannot start; undefined for a failure of the engine itself. */
export function startFailure(error: unknown): JobError | undefined {
  if (isUnreachable(error) || statusOf(error) === undefined) return undefined;
  const reason = reasonOf(error);
  const isProgram =
    /executable file not found|no such file or directory|permission denied|exec format|not a directory|is a directory/i.test(
      reason,
    );
  if (isProgram) return { code: 'RUNTIME_ERROR', message: `The program could not be started: ${lastPart(reason)}.` };
  return { code: 'DOCKER_ERROR', message: `The container could not be started: ${reason}.` };
}

/** The engine wraps the runtime's words in its own. */
function lastPart(reason: string): string {
  return reason.replace(/: unknown$/, '').replace(/^.*?(exec:|process:)/s, '$1');
}
