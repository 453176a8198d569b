import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationClassesMs, FunctionMeasures } from './function-measures.ts';

describe('FunctionMeasures', () => {
  it('I1, I2: counts what runs, what ended and what failed, by function', () => {
    const measures = new FunctionMeasures();
    measures.begin('hello');
    measures.begin('hello');
    measures.begin('__proto__');
    measures.end('hello', 10, false);
    measures.end('hello', 30, true);
    expect(measures.all.map(({ durationCounts: _, ...rest }) => rest)).toEqual([
      { name: 'hello', activeCount: 0, startedCount: 2, endedCount: 2, failedCount: 1, totalMs: 40 },
      { name: '__proto__', activeCount: 1, startedCount: 1, endedCount: 0, failedCount: 0, totalMs: 0 },
    ]);
  });

  it('I3: has an end to the names that it tells apart, and loses no invocation', () => {
    const measures = new FunctionMeasures();
    for (let index = 0; index < 1_500; index += 1) measures.begin(`f${index}`);
    for (let index = 0; index < 1_500; index += 1) measures.end(`f${index}`, 1, false);
    expect(measures.all.length).toBeLessThanOrEqual(1_001);
    expect(measures.all.reduce((sum, { endedCount }) => sum + endedCount, 0)).toBe(1_500);
    expect(measures.all.every(({ activeCount }) => activeCount === 0)).toBe(true);
  });

  it('puts each duration into the class that ends at it or above', () => {
    const anyMs = fc.oneof(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.constantFrom(...durationClassesMs));
    fc.assert(
      fc.property(anyMs, (durationMs) => {
        const measures = new FunctionMeasures();
        measures.begin('f');
        measures.end('f', durationMs, false);
        const index = measures.all[0]?.durationCounts.indexOf(1) ?? -1;
        expect(durationMs).toBeLessThanOrEqual((durationClassesMs[index] ?? Number.POSITIVE_INFINITY) * (1 + 1e-6));
        expect(durationMs).toBeGreaterThanOrEqual(index === 0 ? 0 : (durationClassesMs[index - 1] ?? 0) * (1 - 1e-6));
      }),
    );
  });
});
