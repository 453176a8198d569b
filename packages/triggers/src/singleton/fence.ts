import type { InvocationOutcome, ListenerContext } from '../contract.ts';
import type { HeldLock } from './singleton-locks.ts';

/**
 * A context whose function only begins while the lock is held, and is cancelled when the lock is lost. The question is put
 * at the very moment of the invocation: in a process that slept, the timer of a listener may come before the one that
 * would have told it to stop.
 */
export function fenceInvocations(context: ListenerContext, lock: HeldLock): ListenerContext {
  return {
    ...context,
    invoke(event) {
      if (!lock.isHeld) return Promise.resolve(notOurs);
      const signal = event.signal === undefined ? lock.lost : AbortSignal.any([event.signal, lock.lost]);
      return context.invoke({ ...event, signal });
    },
  };
}

const notOurs: InvocationOutcome = {
  kind: 'lost',
  invocationId: '',
  reason: 'stopping',
  error: { message: 'The function did not run: its lock was lost to another host.', stack: '', type: '' },
};
