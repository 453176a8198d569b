import type { Lane } from './lane.ts';

/** Picks the lane for the next call among those that are open, or nothing when none is. */
export type Picker = (lanes: readonly Lane[]) => Lane | undefined;

/** The ways to spread invocations over an app's workers. */
export const dispatchStrategies = {
  /** The worker with the fewest invocations in flight; among equals the one that connected first. */
  leastLoaded: (): Picker => pickLeastLoaded,
  /** Each open lane in turn. */
  roundRobin: (): Picker => {
    let next = 0;
    return (lanes) => {
      for (let step = 0; step < lanes.length; step += 1) {
        const position = (next + step) % lanes.length;
        const lane = lanes[position];
        if (lane?.isOpen) {
          next = position + 1;
          return lane;
        }
      }
      return undefined;
    };
  },
} as const satisfies Readonly<Record<string, () => Picker>>;

export type DispatchStrategy = keyof typeof dispatchStrategies;

function pickLeastLoaded(lanes: readonly Lane[]): Lane | undefined {
  let best: Lane | undefined;
  for (const lane of lanes) {
    if (lane.isOpen && (best === undefined || lane.worker.inFlight.size < best.worker.inFlight.size)) best = lane;
  }
  return best;
}
