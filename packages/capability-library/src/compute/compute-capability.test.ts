import { readFileSync } from 'node:fs';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CapabilityInstance } from '../capability-module.ts';
import { bundleThreads } from '../testing/bundle-threads.ts';
import { codeOf } from '../testing/code-of.ts';
import { methodsOf } from '../testing/methods-of.ts';
import { createComputeCapability } from './compute-capability.ts';
import { countPrimes } from './tasks/count-primes.ts';
import { factorise } from './tasks/factorise.ts';
import { multiplyMatrices } from './tasks/multiply-matrices.ts';

const settings = { name: 'compute', version: '1.0.0', shard: 's', statePath: null };
const addWasm = readFileSync(new URL('../../../capability-broker/fixtures/add.wasm', import.meta.url));
/** (module (func (export "spin") (loop br 0))) */
const spinWasm = Uint8Array.from(
  Buffer.from(
    '0061736d01000000010401600000030201000708010473 70696e00000a0901070003400c000b0b'.replaceAll(' ', ''),
    'hex',
  ),
);

const programs = await bundleThreads('compute');
const deps = { clock: systemClock, random: systemRandom, programs };

let instance: CapabilityInstance;
let compute: ReturnType<typeof methodsOf>;

beforeEach(async () => {
  instance = await createComputeCapability(deps).create({ ...settings, config: {} });
  compute = methodsOf(instance);
});

afterEach(async () => {
  await instance.dispose?.();
});

test('counts primes as everybody does', async () => {
  expect([0, 2, 10, 100, 1_000_000].map(countPrimes)).toEqual([0, 1, 4, 25, 78_498]);
  expect(await compute('run', ['countPrimes', [5_000_000]])).toBe(348_513);
});

test('factors multiply to the number and are prime', async () => {
  expect(await compute('run', ['factorise', [600_851_475_143]])).toEqual([71n, 839n, 1471n, 6857n]);
  expect(factorise(1_000_003n * 999_983n)).toEqual([999_983n, 1_000_003n]);
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n }), (number) => {
      const factors = factorise(number);
      expect(factors.reduce((product, factor) => product * factor, 1n)).toBe(number);
      for (const factor of factors) expect(factorise(factor)).toEqual([factor]);
    }),
  );
});

test('multiplies matrices', () => {
  expect(multiplyMatrices([[1, 2, 3]], [[1], [10], [100]])).toEqual([[321]]);
  const side = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(
      side,
      side,
      side,
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 50, maxLength: 50 }),
      (n, m, p, values) => {
        const matrix = (rows: number, columns: number, from: number): number[][] =>
          Array.from({ length: rows }, (_r, r) =>
            Array.from({ length: columns }, (_c, c) => values[from + r * columns + c] ?? 0),
          );
        const [left, right] = [matrix(n, m, 0), matrix(m, p, 25)];
        const product = multiplyMatrices(left, right);
        product.forEach((row, r) => {
          row.forEach((value, c) => {
            expect(value).toBe(left[r]?.reduce((sum, item, index) => sum + item * (right[index]?.[c] ?? 0), 0));
          });
        });
      },
    ),
  );
});

test('finds the groups that points lie in', async () => {
  const around = (x: number, y: number) => [0, 1, 2, 3].map((step) => [x + step / 10, y - step / 10]);
  const points = [...around(0, 0), ...around(10, 10), ...around(-10, 10)];
  const result = (await compute('run', ['cluster', [points, 3]])) as { assignments: number[] };
  const groups = [result.assignments.slice(0, 4), result.assignments.slice(4, 8), result.assignments.slice(8)];
  expect(groups.map((group) => new Set(group).size)).toEqual([1, 1, 1]);
  expect(new Set(result.assignments).size).toBe(3);
});

test("runs a caller's own WebAssembly, and stops it in the middle", async () => {
  expect(await compute('run', ['runWasm', [addWasm, 'add', [40, 2]]])).toBe(42);
  const controller = new AbortController();
  const running = compute('run', ['runWasm', [spinWasm, 'spin']], { signal: controller.signal });
  expect(await compute('run', ['countPrimes', [100]])).toBe(25);
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test('started tasks are told apart, waited for and cancelled', async () => {
  const spinning = await compute('start', ['runWasm', [spinWasm, 'spin']]);
  const counting = await compute('start', ['countPrimes', [1_000]]);
  await expect.poll(() => compute('state', [spinning])).toBe('running');
  expect(await compute('result', [counting])).toBe(168);
  expect(await compute('cancel', [spinning])).toBe(true);
  expect(await compute('cancel', [spinning])).toBe(false);
  expect(await compute('state', [spinning])).toBe('cancelled');
  expect(await codeOf(() => compute('result', [spinning]))).toBe('TASK_STOPPED');
  expect(await codeOf(() => compute('state', [spinning]))).toBe('PARAMETER_INVALID');
});

test('the end of a lease stops what it started', async () => {
  const spinning = await compute('start', ['runWasm', [spinWasm, 'spin']]);
  const waiting = compute('result', [spinning]);
  instance.leaseEnded?.('lease-1', 'ann');
  expect(await codeOf(() => waiting)).toBe('TASK_STOPPED');
});

test('a task that takes too long is stopped, and others go on', async () => {
  await instance.dispose?.();
  const clock = new VirtualClock();
  const config = { maxTaskMs: 100, threads: 1 };
  instance = await createComputeCapability({ ...deps, clock }).create({ ...settings, config });
  compute = methodsOf(instance);
  const spinning = codeOf(() => compute('run', ['runWasm', [spinWasm, 'spin']]));
  await clock.advance(100);
  expect(await spinning).toBe('TASK_STOPPED');
  expect(await compute('run', ['runWasm', [addWasm, 'add', [1, 2]]])).toBe(3);
});

test.each([
  ['none', []],
  ['constructor', []],
  ['countPrimes', [-1]],
  ['countPrimes', ['many']],
  ['factorise', [0]],
  ['factorise', [10n ** 50n]],
  ['multiplyMatrices', [[[1, 2]], [[1, 2]]]],
  ['multiplyMatrices', [[[1], [1, 2]], [[1]]]],
  ['cluster', [[], 1]],
  ['cluster', [[[1]], 2]],
  ['runWasm', [Buffer.from('no module'), 'x']],
  ['runWasm', [addWasm, 'missing']],
  ['runWasm', [addWasm, 'add', ['x']]],
])('%s refuses what it cannot use (%#)', async (task, parameters) => {
  expect(await codeOf(() => compute('run', [task, parameters]))).toBe('PARAMETER_INVALID');
});
