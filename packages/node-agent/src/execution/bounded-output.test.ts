import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedOutput } from './bounded-output.ts';

const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 });
const capacity = fc.integer({ min: 2, max: 60 });

function write(limit: number, given: readonly Uint8Array[]): BoundedOutput {
  const output = new BoundedOutput(limit);
  for (const chunk of given) output.write(chunk);
  return output;
}

describe('BoundedOutput', () => {
  it('I1, I3: holds at most its capacity, and counts the rest', () => {
    fc.assert(
      fc.property(capacity, chunks, (limit, given) => {
        const total = given.reduce((sum, chunk) => sum + chunk.byteLength, 0);
        const { droppedBytes } = write(limit, given);
        expect(droppedBytes).toBe(Math.max(0, total - limit));
      }),
    );
  });

  it('I2: keeps what fits whole, and of more the two ends', () => {
    const letters = fc.array(fc.stringMatching(/^[a-z]{0,30}$/), { maxLength: 20 });
    fc.assert(
      fc.property(capacity, letters, (limit, words) => {
        const whole = words.join('');
        const text = write(
          limit,
          words.map((word) => Buffer.from(word)),
        ).text();
        if (whole.length <= limit) expect(text).toBe(whole);
        else {
          const head = whole.slice(0, limit - (limit >> 1));
          const tail = whole.slice(whole.length - (limit >> 1));
          expect(text).toBe(`${head}\n[... ${whole.length - limit} bytes left out ...]\n${tail}`);
        }
      }),
    );
  });

  it('I2: leaves out half of a character at the cut, and nothing else', () => {
    const output = write(8, [Buffer.from('aaa\u00fcbbbbbbbb\u00fcccc')]);
    expect(output.text()).toBe('aaa\n[... 10 bytes left out ...]\nccc');
    for (const sign of ['\u00fc', '\u20ac', '\u{1f600}']) {
      const kept = write(10, [Buffer.from(`${sign.repeat(20)}`)]).text();
      expect(kept).not.toContain('\ufffd');
      expect(kept.replaceAll(sign, '').trim()).toMatch(/^\[\.\.\. \d+ bytes left out \.\.\.\]$/);
    }
  });

  it('I1: takes many small writes without keeping each of them', () => {
    const output = new BoundedOutput(100_000);
    for (let index = 0; index < 60_000; index += 1) output.write(Buffer.from('ab'));
    expect(output.droppedBytes).toBe(20_000);
    expect(output.text().length).toBe(100_000 + '\n[... 20000 bytes left out ...]\n'.length);
  });

  it('keeps nothing of the memory that it was given, and forgets when cleared', () => {
    const memory = Buffer.from('first');
    const output = write(100, [memory]);
    memory.fill('x');
    expect(output.text()).toBe('first');
    output.clear();
    output.write(Buffer.from('second'));
    expect([output.text(), output.droppedBytes]).toEqual(['second', 0]);
  });

  it('refuses a capacity that cannot be cut in two', () => {
    for (const wrong of [0, 1, -5, 2.5, Number.NaN]) expect(() => new BoundedOutput(wrong)).toThrow('cannot be cut');
  });
});
