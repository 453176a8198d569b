/** The compute target "switchyard" over a platform for tests. */
import type { ComputeTarget } from '@switchyard/control-plane';
import { createSwitchyardTarget } from '../switchyard-target.ts';
import type { FakePlatform } from './fake-platform.ts';

export function createFakeTarget(fake: FakePlatform): ComputeTarget {
  const limits = new Map<string, { minReplicas: number; maxReplicas: number }>();
  return createSwitchyardTarget({
    ...{ catalog: fake.catalog, deploy: (record) => fake.deploy(record), look: (id) => fake.look(id) },
    errorOf: (id) => fake.errors.get(id),
    servingOf: (id) => fake.servingOf(id),
    status: (id) => fake.status(id),
    restartWorkers: async (id) => {
      fake.restarted.push(id);
    },
    urlOf: (id) => `http://${id}.localhost`,
    limits: {
      get: async (id) => limits.get(id) ?? {},
      set: async (id, wanted) => {
        limits.set(id, wanted);
      },
    },
  });
}
