/**
 * Over which Runtimes the workers of an app are spread: a pure plan.
 *
 * I1 No Runtime gets more than its room, or than the app's own limit for each Runtime.
 * I2 An app stays where it is warm: another Runtime is used only when those that serve it are full, and given up, the last one
 *    first, when the others have room for all.
 * I3 `strict` uses the first home alone; `preferred` fills the homes in their order; `none` fills them evenly.
 * I4 A Runtime that is used has `minPerRuntime` workers at least, as long as there are enough for that.
 * I5 The counts sum to what is wanted, less what is missing.
 */

/** A Runtime that may take workers of the app. */
export interface SpreadPlace {
  readonly runtimeId: string;
  /** Workers of the app that it can have, those that it has included. */
  readonly room: number;
}

export interface SpreadRequest {
  readonly count: number;
  /** Runtimes that serve the app, the first one its home. */
  readonly homes: readonly string[];
  /** Workers that each Runtime was told to have. */
  readonly current: ReadonlyMap<string, number>;
  /** Every Runtime that may host the app, in the order in which they are to be used. */
  readonly places: readonly SpreadPlace[];
  readonly maxPerRuntime: number;
  readonly minPerRuntime: number;
  readonly affinity: 'none' | 'preferred' | 'strict';
}

export interface Spread {
  /** Workers by Runtime, the home first. A Runtime that is not named is given up. */
  readonly counts: ReadonlyMap<string, number>;
  /** Workers for which no Runtime has room. */
  readonly missing: number;
}

export function planSpread(request: SpreadRequest): Spread {
  const chosen = choose(request);
  const wanted = Math.min(
    request.count,
    chosen.reduce((sum, { room }) => sum + room, 0),
  );
  const counts = request.affinity === 'none' ? fillEvenly(request, chosen, wanted) : fillInOrder(chosen, wanted);
  keepMinimum(counts, request.minPerRuntime, new Map(chosen.map(({ runtimeId, room }) => [runtimeId, room])));
  return { counts, missing: request.count - wanted };
}

/** The homes in their order, as many as are needed, and others behind them when those have no room. */
function choose({ count, homes, places, maxPerRuntime, affinity }: SpreadRequest): readonly SpreadPlace[] {
  const limited = places.map(({ runtimeId, room }) => ({
    runtimeId,
    room: Math.max(0, Math.min(room, maxPerRuntime)),
  }));
  const own = homes.flatMap((id) => limited.find(({ runtimeId }) => runtimeId === id) ?? []);
  const others = limited.filter(({ runtimeId, room }) => room > 0 && !homes.includes(runtimeId));
  const ordered = affinity === 'strict' ? (own.length > 0 ? own : others).slice(0, 1) : [...own, ...others];
  const chosen: SpreadPlace[] = [];
  let room = 0;
  for (const place of ordered) {
    if (chosen.length > 0 && room >= count) break;
    chosen.push(place);
    room += place.room;
  }
  return chosen;
}

function fillInOrder(chosen: readonly SpreadPlace[], wanted: number): Map<string, number> {
  let left = wanted;
  return new Map(
    chosen.map(({ runtimeId, room }) => {
      const count = Math.min(room, left);
      left -= count;
      return [runtimeId, count];
    }),
  );
}

/** From what is there, one by one to the Runtime with fewest, or away from the one with most. */
function fillEvenly({ current }: SpreadRequest, chosen: readonly SpreadPlace[], wanted: number): Map<string, number> {
  const counts = new Map(chosen.map(({ runtimeId, room }) => [runtimeId, Math.min(room, current.get(runtimeId) ?? 0)]));
  const countOf = ({ runtimeId }: SpreadPlace): number => counts.get(runtimeId) ?? 0;
  let total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (; total < wanted; total += 1) {
    const [fewest] = chosen
      .filter((place) => countOf(place) < place.room)
      .toSorted((one, other) => countOf(one) - countOf(other));
    if (fewest === undefined) break;
    counts.set(fewest.runtimeId, countOf(fewest) + 1);
  }
  for (; total > wanted; total -= 1) {
    // Of equals the last one gives.
    const [most] = chosen.toReversed().toSorted((one, other) => countOf(other) - countOf(one));
    if (most === undefined) break;
    counts.set(most.runtimeId, countOf(most) - 1);
  }
  return counts;
}

/** Those in front give to those behind that have too few. */
function keepMinimum(counts: Map<string, number>, minimum: number, rooms: ReadonlyMap<string, number>): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total < minimum * counts.size) return;
  for (const [runtimeId, room] of rooms) {
    for (let count = counts.get(runtimeId) ?? 0; count < Math.min(minimum, room); count += 1) {
      const [giver] = [...counts].filter(([, has]) => has > minimum).toSorted(([, one], [, other]) => other - one);
      if (giver === undefined) return;
      counts.set(giver[0], giver[1] - 1);
      counts.set(runtimeId, count + 1);
    }
  }
}
