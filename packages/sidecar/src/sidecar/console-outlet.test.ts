import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleOutlet } from './console-outlet.ts';

describe('ConsoleOutlet', () => {
  it('I1, I2: whatever happens, each line leaves once and in order, or is counted', () => {
    const step = fc.constantFrom('line', 'connect', 'disconnect');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const counts = { linesDropped: 0 };
        const outlet = new ConsoleOutlet(3, counts);
        const left: number[] = [];
        let written = 0;
        for (const one of steps) {
          if (one === 'line') outlet.write(new Uint8Array([written++]));
          else outlet.connect(one === 'connect' ? { inject: ([line]) => left.push(line ?? -1) } : undefined);
        }
        outlet.connect({ inject: ([line]) => left.push(line ?? -1) });
        expect(left).toEqual([...left].sort((one, other) => one - other));
        expect(new Set(left).size + counts.linesDropped).toBe(written);
      }),
    );
  });

  it('forgets what waited once it is closed', () => {
    const outlet = new ConsoleOutlet(3, { linesDropped: 0 });
    outlet.write(new Uint8Array([1]));
    outlet.close();
    const left: Uint8Array[] = [];
    outlet.connect({ inject: (frame) => left.push(frame) });
    expect(left).toEqual([]);
  });
});
