/** Which placeholders an app gets, and from where: a pure plan over what is known. */

import type { FleetRequest, PlaceholderPlace, RuntimePlace } from './fleet-state.ts';
import { isSameStack } from './match-stack.ts';

export type PlannedTake =
  /** It hangs on the right Runtime already. */
  | { readonly kind: 'specialize'; readonly placeholder: PlaceholderPlace; readonly runtimeId: string }
  /** It leaves its Runtime for this one first. */
  | { readonly kind: 'reassign'; readonly placeholder: PlaceholderPlace; readonly runtimeId: string };

export interface ScaleOutPlan {
  readonly takes: readonly PlannedTake[];
  /** Workers for which no placeholder was found. */
  readonly missing: number;
  /** Why, in words; undefined when nothing is missing. */
  readonly reason: string | undefined;
}

export interface FleetView {
  readonly runtimes: readonly RuntimePlace[];
  readonly placeholders: readonly PlaceholderPlace[];
}

/**
 * Own pool first: placeholders on a Runtime that serves the app. Then leftover ones of Runtimes that serve other apps, and
 * last those of Runtimes that wait for their first app; of each kind the oldest first. With no home the first Runtime that
 * may take the app becomes one.
 */
export function planScaleOut(request: FleetRequest, view: FleetView): ScaleOutPlan {
  const eligible = view.runtimes.filter((runtime) => mayHost(runtime, request));
  const homes = request.homes.flatMap((id) => eligible.find(({ runtimeId }) => runtimeId === id) ?? []);
  const matching = view.placeholders
    .filter(({ stack }) => isSameStack(stack, request.stack))
    .toSorted((one, other) => one.warmSinceMs - other.warmSinceMs);
  const places = homes.length > 0 ? homes : chooseHome(request, eligible, matching);
  const room = new Map(places.map((place) => [place.runtimeId, place.maxWorkers - place.connectedCount]));
  const takes: PlannedTake[] = [];
  const own = matching.filter(({ runtimeId }) => room.has(runtimeId));
  for (const placeholder of own.slice(0, request.count)) {
    // It is connected already, so it takes no more room.
    takes.push({ kind: 'specialize', placeholder, runtimeId: placeholder.runtimeId });
  }
  if (request.affinity !== 'strict' || request.homes.length === 0) {
    const serving = new Map(view.runtimes.map(({ runtimeId, tenantIds }) => [runtimeId, tenantIds.length > 0]));
    const foreign = matching.filter(({ runtimeId }) => !room.has(runtimeId) && isReachable(view, runtimeId));
    const leftover = foreign.filter(({ runtimeId }) => serving.get(runtimeId) === true);
    const waiting = foreign.filter(({ runtimeId }) => serving.get(runtimeId) !== true);
    for (const placeholder of [...leftover, ...waiting]) {
      if (takes.length >= request.count) break;
      const target = [...room].find(([, free]) => free > 0);
      if (target === undefined) break;
      const [runtimeId, free] = target;
      room.set(runtimeId, free - 1);
      takes.push({ kind: 'reassign', placeholder, runtimeId });
    }
  }
  const missing = request.count - takes.length;
  return { takes, missing, reason: missing === 0 ? undefined : reasonOf(request, places, matching, room) };
}

/** True when the app may be on this Runtime at all. */
export function mayHost(
  runtime: RuntimePlace,
  { tenantId, region, isolation, homes }: Pick<FleetRequest, 'tenantId' | 'region' | 'isolation' | 'homes'>,
): boolean {
  if (runtime.state !== 'ready') return false;
  if (region !== undefined && runtime.region !== region) return false;
  if (runtime.dedicatedTo !== undefined && runtime.dedicatedTo !== tenantId) return false;
  const isShared = runtime.tenantIds.some((other) => other !== tenantId);
  return isolation === 'shared' || !isShared || homes.includes(runtime.runtimeId);
}

/** A Runtime with placeholders of the stack first, then the one with most room; an app stays where it is warm afterwards. */
function chooseHome(
  request: FleetRequest,
  eligible: readonly RuntimePlace[],
  matching: readonly PlaceholderPlace[],
): readonly RuntimePlace[] {
  const ownCount = ({ runtimeId }: RuntimePlace): number =>
    matching.filter((placeholder) => placeholder.runtimeId === runtimeId).length;
  const free = ({ maxWorkers, connectedCount }: RuntimePlace): number => maxWorkers - connectedCount;
  const isOwn = ({ tenantIds }: RuntimePlace): boolean => tenantIds.includes(request.tenantId);
  const ranked = eligible
    .filter((runtime) => ownCount(runtime) > 0 || free(runtime) > 0)
    .toSorted(
      (one, other) =>
        Math.min(ownCount(other), request.count) - Math.min(ownCount(one), request.count) ||
        Number(isOwn(other)) - Number(isOwn(one)) ||
        free(other) - free(one) ||
        one.runtimeId.localeCompare(other.runtimeId),
    );
  return ranked.slice(0, 1);
}

function isReachable({ runtimes }: FleetView, runtimeId: string): boolean {
  return runtimes.some((runtime) => runtime.runtimeId === runtimeId && runtime.state === 'ready');
}

function reasonOf(
  { stack, affinity, homes }: FleetRequest,
  places: readonly RuntimePlace[],
  matching: readonly PlaceholderPlace[],
  room: ReadonlyMap<string, number>,
): string {
  const wanted = [stack.runtime, stack.version, stack.architecture].join(' ').trim();
  if (places.length === 0) return 'no Runtime may take the app, or has room for it';
  if (matching.length === 0) return `no placeholder of exactly ${wanted} is warm`;
  if (affinity === 'strict' && homes.length > 0) return 'its workers may not come from other Runtimes';
  if ([...room.values()].every((free) => free <= 0)) return 'its Runtimes are full';
  return `no more placeholders of exactly ${wanted} are warm`;
}
