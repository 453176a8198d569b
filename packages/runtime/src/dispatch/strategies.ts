import { createHash } from 'node:crypto';
import type { Call } from '../worker-registry/call.ts';
import type { Lane } from './lane.ts';

/** What a picker looks at of a call. */
export type Pickable = Pick<Call, 'partitionKey'>;

/** Picks the lane for a call among those that are open, or nothing when it has to wait. */
export interface Picker {
  /** True when one call may have to wait while another one need not. */
  readonly isPerCall: boolean;
  pick(lanes: readonly Lane[], call: Pickable): Lane | undefined;
}

/** The ways to spread invocations over an app's workers. */
export const dispatchStrategies = {
  /** The worker with the fewest invocations in flight; among equals the one that connected first. */
  leastLoaded: (): Picker => ({ isPerCall: false, pick: pickLeastLoaded }),
  /** Each open lane in turn. */
  roundRobin: (): Picker => {
    let next = 0;
    return {
      isPerCall: false,
      pick: (lanes) => {
        for (let step = 0; step < lanes.length; step += 1) {
          const position = (next + step) % lanes.length;
          const lane = lanes[position];
          if (lane?.isOpen) {
            next = position + 1;
            return lane;
          }
        }
        return undefined;
      },
    };
  },
  /**
   * Events of one partition go to one worker, for as long as no worker comes or goes, and wait for it while it is busy. A
   * worker that comes or goes moves the fewest partitions that it can. Whatever has no partition goes to the least loaded.
   */
  partitionAffinity: (): Picker => ({
    isPerCall: true,
    pick: (lanes, { partitionKey }) =>
      partitionKey === undefined ? pickLeastLoaded(lanes) : pickByPartition(lanes, partitionKey),
  }),
} as const satisfies Readonly<Record<string, () => Picker>>;

export type DispatchStrategy = keyof typeof dispatchStrategies;

function pickLeastLoaded(lanes: readonly Lane[]): Lane | undefined {
  let best: Lane | undefined;
  for (const lane of lanes) {
    if (lane.isOpen && (best === undefined || lane.worker.inFlight.size < best.worker.inFlight.size)) best = lane;
  }
  return best;
}

/** Of all members the one that scores highest with this partition: each member scores by itself. */
function pickByPartition(lanes: readonly Lane[], partitionKey: string): Lane | undefined {
  let best: { readonly lane: Lane; readonly score: string } | undefined;
  for (const lane of lanes) {
    if (!lane.isMember) continue;
    const score = createHash('sha1').update(`${partitionKey}\n${lane.worker.workerId}`).digest('hex');
    if (best === undefined || score > best.score) best = { lane, score };
  }
  return best?.lane.isOpen ? best.lane : undefined;
}
