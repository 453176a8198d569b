import type { Seat } from './seat.ts';

/**
 * The workers that an app with `count` of them can do without: those that are not there yet first, then the least busy; of
 * equal ones those that came last.
 */
export function surplusSeats(seats: readonly Seat[], count: number): readonly Seat[] {
  const wanted = seats.filter(({ isWanted }) => isWanted);
  const rank = ({ wasReady, worker }: Seat): number => (wasReady ? 1 + worker.inFlight.size : 0);
  return wanted
    .map((seat, index) => ({ seat, index }))
    .sort((one, other) => rank(one.seat) - rank(other.seat) || other.index - one.index)
    .slice(0, Math.max(0, wanted.length - count))
    .map(({ seat }) => seat);
}
