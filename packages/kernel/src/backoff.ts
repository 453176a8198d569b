import type { Random } from './random.ts';

/** How waits grow between tries. */
export interface BackoffOptions {
  readonly minimumMs: number;
  readonly maximumMs: number;
  /** Each wait is this many times the one before. */
  readonly factor: number;
  /** The share of a wait that chance adds or takes, in [0, 1). */
  readonly jitter: number;
}

/** The wait before try number `attempt`, counted from 0. Pure but for the injected randomness. */
export function backoffMs(options: BackoffOptions, attempt: number, random: Random): number {
  // The power may be infinite, and zero times infinity is no number.
  const grown =
    options.minimumMs === 0 ? 0 : Math.min(options.maximumMs, options.minimumMs * options.factor ** attempt);
  const spread = 1 + options.jitter * (2 * random.next() - 1);
  return Math.min(options.maximumMs, Math.round(grown * spread));
}
