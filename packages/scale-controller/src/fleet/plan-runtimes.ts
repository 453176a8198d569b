/** When a Runtime is started, and when one ends: a pure plan. */

/** A Runtime, as far as its life is concerned. */
export interface LivingRuntime {
  readonly runtimeId: string;
  /** Only those that the installation has started are ended by it. */
  readonly kind: 'local' | 'started' | 'joined';
  /** Since when it hosts no app; undefined while it does. */
  readonly emptySinceMs: number | undefined;
  readonly isDraining: boolean;
}

export interface RuntimeNeeds {
  /** The regions of apps that have no place, or too few workers for want of one; undefined for any. */
  readonly regions: readonly (string | undefined)[];
  readonly runtimes: readonly LivingRuntime[];
  /** Runtimes that were started and have not joined yet. */
  readonly startingCount: number;
  /** The region of those that can be started here. */
  readonly region: string | undefined;
  readonly maximum: number;
  readonly idleMs: number;
}

export type RuntimeAction = { readonly kind: 'start' } | { readonly kind: 'end'; readonly runtimeId: string };

/** One starts at a time: where the first one's room is enough, no second one is wanted. */
export function planRuntimes(needs: RuntimeNeeds, nowMs: number): readonly RuntimeAction[] {
  const { regions, runtimes, startingCount, region, maximum, idleMs } = needs;
  const isNeeded = regions.some((wanted) => wanted === undefined || wanted === region);
  const hasRoom = runtimes.length + startingCount < maximum;
  if (isNeeded) return hasRoom && startingCount === 0 ? [{ kind: 'start' }] : [];
  return runtimes.flatMap(({ runtimeId, kind, emptySinceMs, isDraining }) =>
    kind === 'started' && !isDraining && emptySinceMs !== undefined && nowMs - emptySinceMs >= idleMs
      ? [{ kind: 'end', runtimeId } as const]
      : [],
  );
}
