/** What becomes of a message. Pure. */
import type { QueuesExtension } from '@switchyard/model';
import type { InvocationOutcome } from '../contract.ts';
import type { QueueMessage } from './queue-client.ts';

export type MessageDecision =
  | { readonly kind: 'delete' }
  /** Copy it to the poison queue, then delete it. */
  | { readonly kind: 'poison' }
  /** Let it reappear. */
  | { readonly kind: 'release'; readonly visibilityMs: number }
  /** Leave it invisible until its visibility ends, so that it does not spin: there is no poison queue for it. */
  | { readonly kind: 'leave' }
  /** The function did not begin: keep the message and try again, without counting a try against it. */
  | { readonly kind: 'hold' };

type Limits = Pick<QueuesExtension, 'maxDequeueCount' | 'visibilityTimeoutMs'>;

/** True when a message was received too often to be run once more. */
export function isSpent(message: Pick<QueueMessage, 'dequeueCount'>, limits: Limits): boolean {
  return message.dequeueCount > limits.maxDequeueCount;
}

/** For a message that is spent before it ran. */
export function decideSpent(hasPoisonQueue: boolean): MessageDecision {
  return hasPoisonQueue ? { kind: 'poison' } : { kind: 'leave' };
}

/** For a message that was given to a worker. */
export function decideAfterRun(
  outcome: InvocationOutcome,
  message: Pick<QueueMessage, 'dequeueCount'>,
  limits: Limits,
  hasPoisonQueue: boolean,
): MessageDecision {
  switch (outcome.kind) {
    case 'succeeded':
      return { kind: 'delete' };
    case 'lost':
      return outcome.reason === 'no-worker' || outcome.reason === 'overloaded'
        ? { kind: 'hold' }
        : { kind: 'release', visibilityMs: 0 };
    case 'cancelled':
      return { kind: 'release', visibilityMs: 0 };
    case 'failed':
      if (!hasPoisonQueue) return { kind: 'leave' };
      return message.dequeueCount >= limits.maxDequeueCount
        ? { kind: 'poison' }
        : { kind: 'release', visibilityMs: limits.visibilityTimeoutMs };
  }
}
