/** How many placeholders a pool keeps. Durations in milliseconds. */
export interface PoolSizing {
  /** Kept also when nobody asks. */
  readonly minimum: number;
  /** Never more than these, however many are asked for. */
  readonly maximum: number;
  /** How far back demand counts. */
  readonly windowMs: number;
  /** So many cold starts within the window ... */
  readonly threshold: number;
  /** ... add so many placeholders. */
  readonly increment: number;
}

/** One kind of placeholder that was asked for. */
export interface PoolDemand {
  /** Cold starts within the window. */
  readonly coldStarts: number;
  /** Placeholders that somebody has said will be needed soon. */
  readonly announced: number;
}

/** Demand that did not find what it needed raises the target; when the window has passed over it, the target falls back. */
export function poolTarget({ minimum, maximum, threshold, increment }: PoolSizing, demand: PoolDemand): number {
  const grown = Math.ceil(demand.coldStarts / threshold) * increment;
  return Math.max(0, Math.min(Math.max(minimum, maximum), Math.max(minimum + grown, demand.announced)));
}

/**
 * Spreads `total` placeholders over stacks by what each was asked for lately; a stack with demand gets at least one while
 * there are enough. What nobody asked for gets what is left, one each in order.
 */
export function sharePlaceholders(total: number, demands: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const stacks = [...demands].sort(([, one], [, other]) => other - one);
  const shares = new Map(stacks.map(([stack]) => [stack, 0]));
  let left = Math.max(0, total);
  for (const [stack] of stacks) {
    if (left === 0) return shares;
    shares.set(stack, 1);
    left -= 1;
  }
  const asked = stacks.reduce((sum, [, count]) => sum + Math.max(0, count), 0);
  if (asked === 0) return shares;
  const free = left;
  const rests: { readonly stack: string; readonly rest: number }[] = [];
  for (const [stack, count] of stacks) {
    const exact = (free * Math.max(0, count)) / asked;
    const whole = Math.floor(exact);
    shares.set(stack, (shares.get(stack) ?? 0) + whole);
    left -= whole;
    rests.push({ stack, rest: exact - whole });
  }
  rests.sort((one, other) => other.rest - one.rest);
  for (const { stack } of rests.slice(0, left)) shares.set(stack, (shares.get(stack) ?? 0) + 1);
  return shares;
}
