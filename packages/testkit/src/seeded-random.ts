import type { Random } from '@switchyard/kernel';

/**
 * Randomness that repeats: the same seed gives the same sequence of numbers, UUIDs and bytes on every machine. It is
 * the 32-bit counter generator known as mulberry32; never use it outside tests.
 */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const bytes = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, () => next32() & 0xff);
  return {
    next: () => next32() / 2 ** 32,
    uuid: () => toUuid(bytes(16)),
    bytes,
  };
}

/** Sixteen random bytes as a version 4 UUID. */
function toUuid(bytes: Uint8Array): string {
  const marked = bytes.map((byte, index) => {
    if (index === 6) return (byte & 0x0f) | 0x40;
    return index === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  const hex = Buffer.from(marked).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
