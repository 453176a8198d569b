import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchBytes, copyLimitBytes, FrameWriter } from './frame-writer.ts';

/** What gRPC puts on the wire for these messages. */
function wireBytes(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(frame.length, 1);
      return [prefix, frame];
    }),
  );
}

const size = fc.oneof(
  fc.nat({ max: 200 }),
  fc.integer({ min: copyLimitBytes - 1, max: copyLimitBytes + 1 }),
  fc.integer({ min: batchBytes - 6, max: batchBytes + 6 }),
);

describe('FrameWriter', () => {
  it('I1, I3: hands out prefix and frame of each in order, in batches, however adding and taking alternate', () => {
    const steps = fc.array(
      fc.oneof({ weight: 3, arbitrary: size }, { weight: 1, arbitrary: fc.constant('take' as const) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const writer = new FrameWriter();
        const frames: Buffer[] = [];
        const written: Uint8Array[] = [];
        const take = (): void => {
          const batch = writer.take();
          const bytes = batch.reduce((sum, write) => sum + write.length, 0);
          expect(bytes).toBeLessThanOrEqual(batchBytes + copyLimitBytes + 5);
          written.push(...batch);
        };
        for (const step of script) {
          if (step === 'take') take();
          else {
            frames.push(Buffer.alloc(step, frames.length + 1));
            writer.add(frames.at(-1) ?? Buffer.alloc(0));
          }
        }
        while (writer.pendingBytes > 0) take();
        expect(Buffer.concat(written).equals(wireBytes(frames))).toBe(true);
        expect(writer.take()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('I1: keeps the order over thousands of small frames', () => {
    const writer = new FrameWriter();
    const frames = Array.from({ length: 50_000 }, (_, index) => Buffer.from(`frame ${index} ${'x'.repeat(60)}`));
    for (const frame of frames) writer.add(frame);
    const written: Uint8Array[] = [];
    while (writer.pendingBytes > 0) written.push(...writer.take());
    expect(Buffer.concat(written).equals(wireBytes(frames))).toBe(true);
    expect(written.length).toBeLessThan(10);
  });

  it('I2: copies small frames into one write and large ones not at all', () => {
    const writer = new FrameWriter();
    const large = Buffer.alloc(copyLimitBytes + 1);
    for (const frame of [Buffer.from('a'), Buffer.from('b'), large, Buffer.from('c')]) writer.add(frame);
    const [gathered, prefix, view, last] = writer.take();
    expect(gathered).toHaveLength(12);
    expect(prefix).toHaveLength(5);
    expect(view?.buffer).toBe(large.buffer);
    expect(last).toHaveLength(6);
  });

  it('forgets what it is told to drop, also in the middle of a large frame', () => {
    const writer = new FrameWriter();
    writer.add(Buffer.alloc(batchBytes * 2));
    writer.take();
    expect(writer.pendingBytes).toBeGreaterThan(0);
    writer.clear();
    expect(writer.pendingBytes).toBe(0);
    expect(writer.take()).toEqual([]);
    writer.add(Buffer.from('new'));
    expect(Buffer.concat(writer.take()).equals(wireBytes([Buffer.from('new')]))).toBe(true);
  });
});
