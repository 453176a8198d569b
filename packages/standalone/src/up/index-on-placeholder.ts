import { messageOf } from '@switchyard/kernel';
import type { Assignment } from '@switchyard/protocol';
import type { StoredIndex } from '@switchyard/runtime';
import type { PlaceholderPods } from '@switchyard/sidecar';
import { standaloneErrors } from '../errors.ts';
import type { StackWorker } from '../workers/placeholder-launches.ts';

/** A pod that has listed an app's functions has seen its settings: it ends at once. */
const graceMs = 1_000;

/**
 * Has a worker list the functions of an app that nobody serves yet. The worker is used for nothing else.
 * @throws PlatformError INDEXING_FAILED with what the worker said
 */
export async function indexOnPlaceholder(
  pods: Pick<PlaceholderPods, 'startPod'>,
  { stack, worker }: StackWorker,
  assignment: Assignment,
): Promise<StoredIndex> {
  // Without worker indexing function.json is all there is, and the question may kill the worker.
  if (!worker.traits.workerIndexing) return { functions: [], useDefaultIndexing: true };
  const { applicationId } = assignment.application;
  const pod = pods.startPod(stack);
  try {
    await pod.warm;
    const outcome = await pod.sidecar.index(assignment);
    if (outcome.kind !== 'indexed') throw outcome.error;
    const { functions, useDefaultIndexing, capabilities } = outcome;
    return { functions, useDefaultIndexing, capabilities };
  } catch (thrown) {
    throw standaloneErrors.create('INDEXING_FAILED', { applicationId, reason: messageOf(thrown) }, thrown);
  } finally {
    pod.stop(graceMs);
  }
}
