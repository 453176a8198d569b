import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { AssemblyBudget } from './assembly-budget.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';

const onCompressed = { code: grpcStatus.unimplemented, message: 'gzip' };

function reader(maxMessageBytes = 1 << 20, budget = new AssemblyBudget(1 << 24)): FrameReader {
  return new FrameReader({ maxMessageBytes, budget, onCompressed });
}

/** Pushes the chunks and pulls everything out. */
function readAll(target: FrameReader, chunks: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const chunk of chunks) {
    target.push(chunk);
    for (let message = target.next(); message !== undefined; message = target.next())
      messages.push(new Uint8Array(message));
  }
  return messages;
}

function framed(messages: readonly Uint8Array[]): Buffer {
  const writer = new FrameWriter();
  for (const message of messages) writer.add(message);
  const writes: Uint8Array[] = [];
  while (writer.pendingBytes > 0) writes.push(...writer.take());
  return Buffer.concat(writes);
}

/** Cuts bytes at the given places, which wrap around. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

/** A prefix of any kind, honest or not. */
function prefix(flag: number, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

describe('FrameReader', () => {
  it('I1: gives the same messages however the bytes are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 6000, size: 'max' }), { maxLength: 12 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 40 }), (expected, places) => {
        const target = reader();
        expect(readAll(target, cut(framed(expected), places))).toEqual(expected);
        expect(target.isMidMessage).toBe(false);
        expect(target.failure).toBeUndefined();
      }),
    );
  });

  it('I1: gives the same messages byte by byte', () => {
    const expected = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')].map((bytes) => new Uint8Array(bytes));
    const bytes = framed(expected);
    expect(
      readAll(
        reader(),
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(expected);
  });

  it('gives a view into the chunk for a message that lies in one', () => {
    const chunk = framed([Buffer.from('view')]);
    const target = reader();
    target.push(chunk);
    expect(target.next()?.buffer).toBe(chunk.buffer);
  });

  it('knows when a message is unfinished', () => {
    const bytes = framed([Buffer.from('half')]);
    for (let end = 1; end < bytes.length; end += 1) {
      const target = reader();
      expect(readAll(target, [bytes.subarray(0, end)])).toEqual([]);
      expect(target.isMidMessage, `after ${end} bytes`).toBe(true);
    }
  });

  it('I2: holds at most four times what has arrived, and gives it back', () => {
    const budget = new AssemblyBudget(1 << 24);
    const target = reader(1 << 20, budget);
    const size = 1 << 20;
    const bytes = framed([Buffer.alloc(size, 1)]);
    for (let at = 0; at < bytes.length; at += 1000) {
      readAll(target, [bytes.subarray(at, at + 1000)]);
      expect(budget.heldBytes).toBeLessThanOrEqual(Math.max(4096, 4 * (at + 1000)));
    }
    expect(budget.heldBytes).toBe(0);
  });

  it('I2: a liar who announces much and sends little costs little', () => {
    const budget = new AssemblyBudget(1 << 30);
    const target = reader(1 << 28, budget);
    readAll(target, [prefix(0, 1 << 28), Buffer.alloc(10)]);
    expect(budget.heldBytes).toBe(4096);
    target.release();
    expect(budget.heldBytes).toBe(0);
  });

  it('I2: refuses a message that no longer fits the memory of all streams', () => {
    const budget = new AssemblyBudget(10_000);
    const [first, second] = [reader(1 << 20, budget), reader(1 << 20, budget)];
    readAll(first, [prefix(0, 50_000), Buffer.alloc(2000)]);
    readAll(second, [prefix(0, 50_000), Buffer.alloc(2000)]);
    expect(first.failure).toBeUndefined();
    expect(second.failure?.code).toBe(grpcStatus.resourceExhausted);
    expect(second.failure?.message).toMatch(/50000 bytes.*8000 of 10000/);
    first.release();
    expect(budget.heldBytes).toBe(0);
  });

  it('I3: refuses a message above the limit on its prefix, whole or in pieces', () => {
    for (const chunks of [
      [prefix(0, 101)],
      Array.from(prefix(0, 101), (byte) => Uint8Array.of(byte)),
      [framed([Buffer.alloc(101)])],
    ]) {
      const budget = new AssemblyBudget(1000);
      const target = reader(100, budget);
      expect(readAll(target, chunks)).toEqual([]);
      expect(target.failure).toEqual({
        code: grpcStatus.resourceExhausted,
        message: 'a message of 101 bytes is larger than the limit of 100 bytes',
      });
      expect(budget.heldBytes).toBe(0);
    }
    expect(readAll(reader(100), [framed([Buffer.alloc(100)])])).toHaveLength(1);
    const largest = reader(100);
    readAll(largest, [prefix(0, 0xffff_ffff)]);
    expect(largest.failure?.message).toContain('4294967295');
  });

  it.each([
    [1, onCompressed],
    [2, { code: grpcStatus.internal, message: 'a message starts with flag 2; only 0 and 1 exist' }],
    [255, { code: grpcStatus.internal, message: 'a message starts with flag 255; only 0 and 1 exist' }],
  ])('refuses flag %d', (flag, failure) => {
    const target = reader();
    readAll(target, [prefix(flag, 3), Buffer.from('abc')]);
    expect(target.failure).toEqual(failure);
  });

  it('I4: reads nothing after a failure', () => {
    const target = reader();
    const good = framed([Buffer.from('good')]);
    expect(readAll(target, [Buffer.concat([good, prefix(9, 0), good]), good])).toHaveLength(1);
    expect(target.failure?.message).toContain('flag 9');
  });

  it('I4: never throws and never gives more than it got, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 10 }), (bytes, places) => {
        const messages = readAll(reader(200), cut(Buffer.from(bytes), places));
        const given = messages.reduce((sum, message) => sum + message.length + 5, 0);
        expect(given).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
