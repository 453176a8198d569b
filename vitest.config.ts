import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Package entries name their sources under this condition, so tests need no build of the packages that they test. */
const condition = 'switchyard-source';

export default defineConfig({
  resolve: { conditions: [condition] },
  ssr: { resolve: { conditions: [condition, 'node'], externalConditions: [condition, 'node'] } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What a test polls for is bound to come; a second, the default, is too short on a machine under load.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    retry: 0,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: { name: 'packages', include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts'] },
      },
      {
        // Whole platforms with worker processes and Azurite: after the others, and a processor for each file, with one to spare.
        extends: true,
        test: {
          name: 'platform',
          include: ['test/**/*.test.ts'],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          // Each wait of such a test has a limit of its own, and most tests wait several times: this one ends what hangs elsewhere.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
