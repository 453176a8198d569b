import type { Random } from '@switchyard/kernel';
import type { RetryPolicy } from '@switchyard/model';

/** A maxRetryCount that means: for ever. */
const forEver = -1;

/** The share by which chance moves an exponential wait, either way. */
const spread = 0.2;

/** True when a function that failed `failures` times may be tried again. */
export function mayRetry(policy: RetryPolicy | undefined, failures: number): policy is RetryPolicy {
  if (policy === undefined) return false;
  return policy.maxRetryCount === forEver || failures <= policy.maxRetryCount;
}

/**
 * The wait before the next try, after `failures` failures (at least 1): the fixed delay, or minimum + 2^(failures-1) times
 * the minimum, give or take 20 %, and never more than the maximum, as in the official WebJobs SDK.
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, random: Random): number {
  if (policy.strategy === 'fixedDelay') return policy.delayMs;
  const factor = 1 - spread + 2 * spread * random.next();
  const grown = policy.minimumMs + 2 ** (failures - 1) * policy.minimumMs * factor;
  return Math.round(Math.min(policy.maximumMs, grown));
}
