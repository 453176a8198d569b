/**
 * What a program writes to one stream, within a limit: the beginning and the end are kept, and a mark says how much is
 * missing between.
 *
 * I1 Never more than `capacity` bytes are held.
 * I2 What fits is kept whole; of more, the first and the last half of the capacity.
 * I3 `droppedBytes` plus the bytes held is what was written.
 */
import { invariant } from '@switchyard/kernel';

export class BoundedOutput {
  readonly capacity: number;
  readonly #headCapacity: number;
  readonly #tailCapacity: number;
  #head: Buffer[] = [];
  #headBytes = 0;
  /** Chunks of the end, oldest first; more than the capacity is cut off in front. */
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #totalBytes = 0;

  constructor(capacity: number) {
    invariant(Number.isInteger(capacity) && capacity >= 2, `an output of ${capacity} bytes cannot be cut in two`);
    this.capacity = capacity;
    this.#headCapacity = capacity - (capacity >> 1);
    this.#tailCapacity = capacity >> 1;
  }

  get droppedBytes(): number {
    return this.#totalBytes - this.#headBytes - this.#tailBytes;
  }

  write(bytes: Uint8Array): void {
    this.#totalBytes += bytes.byteLength;
    const room = Math.min(this.#headCapacity - this.#headBytes, bytes.byteLength);
    // The caller may use its memory again.
    if (room > 0) this.#head.push(Buffer.from(bytes.subarray(0, room)));
    this.#headBytes += room;
    const rest = bytes.subarray(room);
    if (rest.byteLength === 0) return;
    const kept = Buffer.from(rest.subarray(Math.max(0, rest.byteLength - this.#tailCapacity)));
    this.#tail.push(kept);
    this.#tailBytes += kept.byteLength;
    this.#cut();
  }

  /** All that is kept, as text; bytes that are no UTF-8 become replacement characters. */
  text(): string {
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    const { droppedBytes } = this;
    if (droppedBytes === 0) return Buffer.concat([head, tail]).toString('utf8');
    const mark = `\n[... ${droppedBytes} bytes left out ...]\n`;
    return `${withoutBrokenEnd(head).toString('utf8')}${mark}${withoutBrokenStart(tail).toString('utf8')}`;
  }

  clear(): void {
    this.#head = [];
    this.#tail = [];
    this.#headBytes = 0;
    this.#tailBytes = 0;
    this.#totalBytes = 0;
  }

  #cut(): void {
    while (this.#tailBytes > this.#tailCapacity) {
      const [first] = this.#tail;
      invariant(first !== undefined, 'bytes are counted that nobody holds');
      const excess = this.#tailBytes - this.#tailCapacity;
      if (first.byteLength <= excess) this.#tail.shift();
      else this.#tail[0] = first.subarray(excess);
      this.#tailBytes -= Math.min(excess, first.byteLength);
    }
    // Many small writes would cost more in chunks than in bytes.
    if (this.#tail.length > maxChunks) this.#tail = [Buffer.concat(this.#tail)];
    if (this.#head.length > maxChunks) this.#head = [Buffer.concat(this.#head)];
  }
}

const maxChunks = 256;

/** Without the first bytes of a character whose rest was dropped. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? bytes.subarray(0, -back) : bytes;
    if (byte < 0x80) return bytes;
  }
  return bytes;
}

/** Without the last bytes of a character whose beginning was dropped. */
function withoutBrokenStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
