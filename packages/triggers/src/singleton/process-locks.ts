/**
 * Locks of one process, for apps without storage: nothing of theirs runs elsewhere.
 *
 * I1 A lock has at most one holder, who keeps it until it is given back.
 */
import { WakeUps } from '../storage/wake-ups.ts';
import { lockKey, type SingletonLocks } from './singleton-locks.ts';

/** Makes locks that hold as long as the process lives. */
export function createProcessLocks(): SingletonLocks {
  const holders = new Map<string, symbol>();
  const wakeUps = new WakeUps();
  return {
    async acquire(request, signal) {
      signal.throwIfAborted();
      const key = lockKey(request);
      if (holders.has(key)) return undefined;
      const holder = Symbol(request.lockId);
      holders.set(key, holder);
      return {
        get isHeld() {
          return holders.get(key) === holder;
        },
        lost: new AbortController().signal,
        async release() {
          if (holders.get(key) !== holder) return;
          holders.delete(key);
          wakeUps.notify(key);
        },
      };
    },
    watch: (name, freed) => wakeUps.subscribe(lockKey(name), freed),
  };
}
