import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InFlight } from './in-flight.ts';

const item = (id: number) => ({ invocationId: String(id), sentAtMs: id });

describe('InFlight', () => {
  test('I1: refuses beyond its capacity and takes again after a leave', () => {
    const inFlight = new InFlight(2);
    expect([inFlight.add(item(1)), inFlight.add(item(2)), inFlight.add(item(3))]).toEqual([true, true, false]);
    expect(inFlight.isFull).toBe(true);
    inFlight.take('1');
    expect(inFlight.add(item(3))).toBe(true);
  });

  test('refuses the same id twice, which would be a defect of ours', () => {
    const inFlight = new InFlight(2);
    inFlight.add(item(1));
    expect(() => inFlight.add(item(1))).toThrow('already in flight');
  });

  test('I2: an item leaves once, by take or by drain', () => {
    const inFlight = new InFlight(3);
    inFlight.add(item(1));
    inFlight.add(item(2));
    expect(inFlight.take('1')).toEqual(item(1));
    expect(inFlight.take('1')).toBeUndefined();
    expect(inFlight.drain()).toEqual([item(2)]);
    expect(inFlight.drain()).toEqual([]);
    expect(inFlight.size).toBe(0);
  });

  test('I1, I2, I3: behaves like a bounded list without double entries, whatever happens', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), id: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ kind: fc.constant('take' as const), id: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ kind: fc.constant('drain' as const), id: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(command), fc.integer({ min: 1, max: 5 }), (commands, capacity) => {
        const inFlight = new InFlight<{ invocationId: string; sentAtMs: number }>(capacity);
        let model: number[] = [];
        for (const { kind, id } of commands) {
          if (kind === 'add' && !model.includes(id)) {
            expect(inFlight.add(item(id))).toBe(model.length < capacity);
            if (model.length < capacity) model.push(id);
          } else if (kind === 'take') {
            expect(inFlight.take(String(id))).toEqual(model.includes(id) ? item(id) : undefined);
            model = model.filter((other) => other !== id);
          } else if (kind === 'drain') {
            expect(inFlight.drain()).toEqual(model.map(item));
            model = [];
          }
          expect(inFlight.size).toBe(model.length);
          expect(inFlight.oldest()?.sentAtMs).toBe(model[0]);
        }
      }),
    );
  });
});
