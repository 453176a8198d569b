/** How many Runtimes an installation needs, which of them end, and where the apps of a lost one go: pure plans. */
import type { RuntimePlace } from './fleet-state.ts';

export interface PlacementRules {
  readonly maxWorkersPerRuntime: number;
  /** Runtimes that are kept for apps to come. */
  readonly minimumRuntimes: number;
  readonly maximumRuntimes: number;
}

export type PlacementAction =
  | { readonly kind: 'start-runtime'; readonly region: string | undefined }
  /** It gets no more apps, finishes what it has, and ends. */
  | { readonly kind: 'drain-runtime'; readonly runtimeId: string }
  | { readonly kind: 'place-placeholders'; readonly runtimeId: string; readonly count: number };

/** Runtimes for so many workers: 40 of them with 20 each need two. */
export function runtimesFor(workers: number, { maxWorkersPerRuntime, ...rules }: PlacementRules): number {
  const needed = Math.ceil(Math.max(0, workers) / Math.max(1, maxWorkersPerRuntime));
  return Math.min(rules.maximumRuntimes, Math.max(rules.minimumRuntimes, needed));
}

/**
 * Brings the Runtimes of one region to what `workers` of them need: starts what is missing, fills those with room evenly, and
 * drains the emptiest ones that nobody needs. A Runtime with an app of its own is never drained.
 */
export function planPlacement(
  workers: number,
  runtimes: readonly RuntimePlace[],
  region: string | undefined,
  rules: PlacementRules,
): readonly PlacementAction[] {
  const ready = runtimes.filter((runtime) => runtime.region === region && runtime.state === 'ready');
  const wanted = runtimesFor(workers, rules);
  const actions: PlacementAction[] = [];
  for (let missing = wanted - ready.length; missing > 0; missing -= 1) actions.push({ kind: 'start-runtime', region });
  const idle = ready
    .filter(({ tenantIds }) => tenantIds.length === 0)
    .toSorted((one, other) => one.connectedCount - other.connectedCount);
  const surplus = idle.slice(0, Math.max(0, ready.length - wanted));
  for (const { runtimeId } of surplus) actions.push({ kind: 'drain-runtime', runtimeId });
  const kept = ready.filter((runtime) => !surplus.includes(runtime));
  const connected = kept.reduce((sum, { connectedCount }) => sum + connectedCount, 0);
  return [...actions, ...fill(kept, workers - connected)];
}

/** One after the other to the Runtime with fewest, as long as there is room. */
function fill(runtimes: readonly RuntimePlace[], missing: number): PlacementAction[] {
  const counts = new Map(runtimes.map(({ runtimeId }) => [runtimeId, 0]));
  for (let left = missing; left > 0; left -= 1) {
    const target = runtimes
      .map((runtime) => ({ runtime, used: runtime.connectedCount + (counts.get(runtime.runtimeId) ?? 0) }))
      .filter(({ runtime, used }) => used < runtime.maxWorkers)
      .toSorted((one, other) => one.used - other.used)[0];
    if (target === undefined) break;
    const { runtimeId } = target.runtime;
    counts.set(runtimeId, (counts.get(runtimeId) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 0)
    .map(([runtimeId, count]) => ({ kind: 'place-placeholders', runtimeId, count }));
}

/** An app and the Runtimes that serve it. */
export interface PlacedApp {
  readonly applicationId: string;
  readonly workersByRuntime: ReadonlyMap<string, number>;
  /** The one Runtime whose listeners run. */
  readonly listensOn: string | undefined;
}

export interface ReHoming {
  readonly applicationId: string;
  /** Workers that must be had anew. */
  readonly workers: number;
  /** Where its listeners run from now on; undefined when another Runtime must be chosen first. */
  readonly listensOn: string | undefined;
}

/** What each app has lost with a Runtime. Its listeners go to the Runtime that serves it most, and run on one only. */
export function planReHoming(lost: string, apps: readonly PlacedApp[]): readonly ReHoming[] {
  return apps.flatMap(({ applicationId, workersByRuntime, listensOn }) => {
    const workers = workersByRuntime.get(lost) ?? 0;
    if (workers === 0 && listensOn !== lost) return [];
    const others = [...workersByRuntime].filter(([runtimeId, count]) => runtimeId !== lost && count > 0);
    const [heir] = others.toSorted(([, one], [, other]) => other - one);
    return [{ applicationId, workers, listensOn: listensOn === lost ? heir?.[0] : listensOn }];
  });
}
