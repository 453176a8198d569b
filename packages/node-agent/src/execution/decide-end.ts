/** What became of a job, from what became of its task. Pure. */
import type { EffectiveLimits, JobError, JobErrorCode } from '@switchyard/protocol/job-api';
import type { TaskExit } from '../driver/contract.ts';

/** Why the agent itself ended a task. */
export type StopReason = 'cancelled' | 'timeout' | 'unhealthy';

/** How an attempt at a job ended. */
export interface JobEnd {
  readonly exitCode: number | null;
  /** Null when it ended well. */
  readonly error: JobError | null;
}

/** Decides. What the agent did on purpose comes first, then what the kernel did, then what the program says. */
export function decideEnd(exit: TaskExit, stop: StopReason | undefined, limits: EffectiveLimits): JobEnd {
  const exitCode = exit.kind === 'exited' ? exit.exitCode : null;
  const failed = (code: JobErrorCode, message: string): JobEnd => ({ exitCode, error: { code, message } });
  if (stop === 'cancelled') return failed('CANCELLED', cancelledMessage);
  if (stop === 'timeout')
    return failed(
      'TIMEOUT',
      `The job ran longer than ${limits.max_runtime_seconds} s (max_runtime_seconds) and was stopped.`,
    );
  if (stop === 'unhealthy') return failed('RUNTIME_ERROR', 'The pod failed its health check and was stopped.');
  if (exit.kind === 'lost') return failed('DOCKER_ERROR', exit.reason);
  if (exit.exitCode === 0) return { exitCode: 0, error: null };
  if (exit.outOfMemory)
    return failed(
      'OUT_OF_MEMORY',
      `The job needed more than its ${limits.memory_mb} MB (memory_mb), so the kernel ended it.`,
    );
  if (exit.engineFailed)
    return failed(
      'DOCKER_ERROR',
      `The container engine went away while the job ran, and the job ended with exit code ${exit.exitCode}.`,
    );
  return failed('RUNTIME_ERROR', `The program ended with exit code ${exit.exitCode}.`);
}

/** What a cancelled job says. */
export const cancelledMessage = 'The job was cancelled on request.';

/** Whether a pod that ended is started again. `restarts` are those so far. */
export function decideRestart(
  end: JobEnd,
  {
    policy,
    max_restarts: maximum,
  }: { readonly policy: 'never' | 'on_failure' | 'always'; readonly max_restarts?: number | undefined },
  restarts: number,
): boolean {
  if (end.error?.code === 'CANCELLED' || restarts >= (maximum ?? Number.POSITIVE_INFINITY)) return false;
  // What never started will not start the next time either.
  if (end.error !== null && unstartable.has(end.error.code)) return false;
  return policy === 'always' || (policy === 'on_failure' && end.error !== null);
}

const unstartable: ReadonlySet<JobErrorCode> = new Set(['IMAGE_UNAVAILABLE', 'BUILD_FAILED']);
