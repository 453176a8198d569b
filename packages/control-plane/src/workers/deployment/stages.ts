/** The steps by which a roll-out shifts the traffic: how much the new version has at each. */
import type { RollOutStrategy, TrafficShare } from '@switchyard/protocol/control-api';

/** Percent for the new version, step by step; the last is always 100. A first version has nothing to shift from. */
export function stagesOf(strategy: RollOutStrategy, isFirst: boolean): readonly number[] {
  if (isFirst) return [100];
  switch (strategy.kind) {
    case 'rolling':
      return Array.from({ length: strategy.batches }, (_, at) => Math.round(((at + 1) * 100) / strategy.batches));
    // The new colour comes up and is looked at before anybody sees it; then it has everything at once.
    case 'blue-green':
      return [0, 100];
    case 'canary':
      return [...strategy.steps, 100];
  }
}

/** The weights that give the new version its part and the one before the rest. */
export function sharesOf(version: string, percent: number, previous: string | undefined): readonly TrafficShare[] {
  if (previous === undefined || previous === version || percent === 100) return [{ version, weight: 100 }];
  return [
    { version, weight: percent },
    { version: previous, weight: 100 - percent },
  ];
}
