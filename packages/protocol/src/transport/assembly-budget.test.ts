import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AssemblyBudget } from './assembly-budget.ts';

it('I1, I2: never holds more than its limit, and what is released can be reserved again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -60, max: 60 })), (steps) => {
      const budget = new AssemblyBudget(100);
      const held: number[] = [];
      for (const step of steps) {
        if (step < 0) budget.release(held.pop() ?? 0);
        else {
          const fits = held.reduce((sum, size) => sum + size, step) <= 100;
          expect(budget.reserve(step)).toBe(fits);
          if (fits) held.push(step);
        }
        expect(budget.heldBytes).toBe(held.reduce((sum, size) => sum + size, 0));
        expect(budget.heldBytes).toBeLessThanOrEqual(budget.limitBytes);
      }
    }),
  );
});
