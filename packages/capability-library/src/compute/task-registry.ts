import { cluster } from './tasks/cluster.ts';
import { countPrimes } from './tasks/count-primes.ts';
import { factorise } from './tasks/factorise.ts';
import { multiplyMatrices } from './tasks/multiply-matrices.ts';
import { runWasm } from './tasks/run-wasm.ts';

/** What `compute` can do; a task checks its own parameters. A new one is a new file and a new line. */
export const computeTasks: Readonly<Record<string, (...parameters: unknown[]) => unknown>> = {
  countPrimes,
  factorise,
  multiplyMatrices,
  cluster,
  runWasm,
};
