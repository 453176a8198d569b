import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StartGate, type StartPass } from './start-gate.ts';

/** Enters, and keeps the names of those who were let in. */
function createCrowd(gate: StartGate): {
  readonly inside: string[];
  readonly passes: StartPass[];
  /** False when the start was turned away. */
  enter(name: string, urgent?: boolean): boolean;
} {
  const inside: string[] = [];
  const passes: StartPass[] = [];
  return {
    inside,
    passes,
    enter(name, urgent = false) {
      const entered = gate.enter(urgent);
      entered?.then(
        (pass) => {
          inside.push(name);
          passes.push(pass);
        },
        () => {},
      );
      return entered !== undefined;
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('StartGate', () => {
  it('I1: lets no more than the limit in, whatever the order of coming and going', async () => {
    const moves = fc.array(fc.constantFrom('enter', 'enter-urgent', 'leave'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(moves, fc.integer({ min: 1, max: 3 }), async (steps, limit) => {
        const crowd = createCrowd(new StartGate(limit, 100));
        let left = 0;
        for (const step of steps) {
          if (step === 'leave') {
            const pass = crowd.passes.shift();
            pass?.giveBack();
            if (pass !== undefined) left += 1;
          } else crowd.enter(step, step === 'enter-urgent');
          await settle();
          expect(crowd.inside.length - left).toBeLessThanOrEqual(limit);
        }
        const entered = steps.filter((step) => step !== 'leave').length;
        expect(crowd.inside.length).toBe(Math.min(entered, limit + left));
      }),
      { numRuns: 50 },
    );
  });

  it('I2: lets urgent starts go first', async () => {
    const crowd = createCrowd(new StartGate(1, 100));
    crowd.enter('first');
    crowd.enter('normal');
    crowd.enter('urgent', true);
    for (let round = 0; round < 3; round += 1) {
      await settle();
      crowd.passes[round]?.giveBack();
    }
    expect(crowd.inside).toEqual(['first', 'urgent', 'normal']);
  });

  it('I3: counts a pass that is returned twice once', async () => {
    const crowd = createCrowd(new StartGate(1, 100));
    crowd.enter('first');
    crowd.enter('second');
    crowd.enter('third');
    await settle();
    crowd.passes[0]?.giveBack();
    crowd.passes[0]?.giveBack();
    await settle();
    expect(crowd.inside).toEqual(['first', 'second']);
  });

  it('I4: turns away when too many wait', () => {
    const crowd = createCrowd(new StartGate(1, 1));
    crowd.enter('inside');
    expect(crowd.enter('waiting')).toBe(true);
    expect(crowd.enter('turned away')).toBe(false);
  });
});
