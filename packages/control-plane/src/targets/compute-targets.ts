/** The compute targets of an installation, by name. */
import { workerErrors } from '../frame/errors.ts';
import type { ComputeTarget, ComputeTargets } from './contract.ts';

export function createComputeTargets(targets: readonly ComputeTarget[]): ComputeTargets {
  const byName = new Map(targets.map((target) => [target.name, target]));
  const names = [...byName.keys()];
  return {
    names,
    find(computeTarget) {
      const found = byName.get(computeTarget);
      if (found === undefined) throw workerErrors.create('TARGET_UNKNOWN', { computeTarget, known: names.join(', ') });
      return found;
    },
  };
}
