import type { Assignment, WorkerContext } from '@switchyard/protocol';
import type { SidecarOptions } from './sidecar-contract.ts';

/** Who the worker is in this epoch: of an app, or a placeholder. */
export function toWorkerContext(
  { workerId, stack, instanceId }: SidecarOptions,
  assignment: Assignment | undefined,
  epoch: number,
): WorkerContext {
  return {
    workerId,
    language: stack.runtime,
    languageVersion: stack.version,
    instanceId,
    application: assignment?.application,
    tenantId: assignment?.tenantId ?? '',
    epoch,
  };
}
