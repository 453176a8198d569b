/**
 * One circuit breaker per shard of a version: a shard that keeps failing is left alone for a while, so that callers are
 * told at once and the shard can recover.
 *
 * I1 A shard opens when at least half of its last calls failed, and not before `minimumCalls` of them were seen.
 * I2 An open shard runs nothing; after `holdMs` one call may try, and its result closes or opens the shard again.
 * I3 Shards do not touch each other.
 */

import { isPlatformError } from '@switchyard/kernel';
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { capabilityErrors } from '../errors.ts';

export interface BreakerOptions {
  /** How many of the last calls count. */
  readonly window: number;
  readonly minimumCalls: number;
  readonly holdMs: number;
}

/** The library opens above this share, so that half of the calls is enough. */
const failureShare = 0.499;

export class CircuitBreakers {
  readonly #options: BreakerOptions;
  readonly #policies = new Map<string, CircuitBreakerPolicy>();

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** True while the shard must be left alone. */
  isOpen(shard: string): boolean {
    const state = this.#policies.get(shard)?.state;
    return state === CircuitState.Open || state === CircuitState.Isolated;
  }

  /** Runs `work` and counts how it went. Fails with CIRCUIT_OPEN when the shard is to be left alone. */
  async run<T>(shard: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#policyOf(shard).execute(work);
    } catch (error) {
      if (error instanceof BrokenCircuitError)
        throw capabilityErrors.create('CIRCUIT_OPEN', { shard, holdMs: this.#options.holdMs }, error);
      throw error;
    }
  }

  /** Counts a call that ran elsewhere. */
  async note(shard: string, succeeded: boolean): Promise<void> {
    const work = async (): Promise<void> => {
      if (!succeeded) throw new Error('a call failed');
    };
    await this.run(shard, work).catch(() => {});
  }

  /** The shard is no more. */
  forget(shard: string): void {
    this.#policies.delete(shard);
  }

  #policyOf(shard: string): CircuitBreakerPolicy {
    const known = this.#policies.get(shard);
    if (known !== undefined) return known;
    const { window: size, minimumCalls: minimumNumberOfCalls, holdMs: halfOpenAfter } = this.#options;
    const breaker = new CountBreaker({ threshold: failureShare, size, minimumNumberOfCalls });
    const policy = circuitBreaker(handleWhen(isTheShardsFault), { halfOpenAfter, breaker });
    this.#policies.set(shard, policy);
    return policy;
  }
}

/** A request that was refused for want of room says nothing about the shard. */
function isTheShardsFault(error: unknown): boolean {
  return !(isPlatformError(error) && (error.code === 'RESOURCE_EXHAUSTED' || error.code === 'CIRCUIT_OPEN'));
}
