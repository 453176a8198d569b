import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Clock, sleep } from '@switchyard/kernel';

/** How often the collector may run before something counts as leaked. */
const maxRounds = 8;

/** Between two rounds, so that what the last turn of the loop holds is let go. */
const pauseMs = 2;

/**
 * Runs the collector until what `target` points to is gone. Returns the number of rounds, or undefined when it is still
 * there after the last: then somebody holds it.
 */
export async function collectGarbage(clock: Clock, target: WeakRef<object>): Promise<number | undefined> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') return undefined;
  for (let round = 1; round <= maxRounds; round += 1) {
    await sleep(clock, pauseMs);
    collect();
    if (target.deref() === undefined) return round;
  }
  return undefined;
}
