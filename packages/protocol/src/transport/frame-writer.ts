/**
 * Collects frames and hands them out as few writes: small frames are copied, prefixes and all, into one buffer; large ones
 * travel as views, piece by piece.
 *
 * I1 The bytes handed out are, for each frame in the order added, its prefix and the frame.
 * I2 A frame above `copyLimitBytes` is never copied.
 * I3 One batch is at most `batchBytes` and one small frame long.
 */
import { framePrefixBytes } from './frame-reader.ts';

/** Frames up to this size are copied together; copying costs less than one more buffer through the stream layers. */
export const copyLimitBytes = 32 * 1024;

/** What is given to HTTP/2 at a time. The rest waits here, where it can still be dropped. */
export const batchBytes = 1024 * 1024;

export class FrameWriter {
  #frames: Uint8Array[] = [];
  #head = 0;
  /** How much of the first frame, a large one, was handed out already. */
  #headOffset = 0;
  #pendingBytes = 0;

  /** Bytes added and not handed out, prefixes included. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  add(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#pendingBytes += frame.length + framePrefixBytes;
  }

  /** Drops what was added. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.#pendingBytes = 0;
  }

  /** The next batch of writes; empty when there is nothing. */
  take(): Uint8Array[] {
    const writes: Uint8Array[] = [];
    let room = batchBytes;
    while (this.#head < this.#frames.length && room > 0) {
      const frame = this.#frames[this.#head] as Uint8Array;
      const taken = frame.length > copyLimitBytes ? this.#takeSlice(frame, room, writes) : this.#gather(room, writes);
      this.#pendingBytes -= taken;
      room -= taken;
    }
    this.#forget();
    return writes;
  }

  /** Takes the next piece of a large frame, and its prefix in front of the first one. */
  #takeSlice(frame: Uint8Array, room: number, writes: Uint8Array[]): number {
    let taken = 0;
    if (this.#headOffset === 0) {
      const prefix = Buffer.allocUnsafe(framePrefixBytes);
      writePrefix(prefix, 0, frame.length);
      writes.push(prefix);
      taken = framePrefixBytes;
    }
    const piece = frame.subarray(this.#headOffset, this.#headOffset + room);
    writes.push(piece);
    this.#headOffset += piece.length;
    if (this.#headOffset === frame.length) {
      this.#headOffset = 0;
      this.#head += 1;
    }
    return taken + piece.length;
  }

  /** Copies the small frames that come next, as far as they have room, into one buffer. */
  #gather(room: number, writes: Uint8Array[]): number {
    const frames = this.#frames;
    let size = 0;
    let to = this.#head;
    for (; to < frames.length && size < room; to += 1) {
      const { length } = frames[to] as Uint8Array;
      if (length > copyLimitBytes) break;
      size += framePrefixBytes + length;
    }
    const target = Buffer.allocUnsafe(size);
    let offset = 0;
    for (let at = this.#head; at < to; at += 1) {
      const frame = frames[at] as Uint8Array;
      writePrefix(target, offset, frame.length);
      target.set(frame, offset + framePrefixBytes);
      offset += framePrefixBytes + frame.length;
    }
    this.#head = to;
    writes.push(target);
    return size;
  }

  /** Lets go of frames that were handed out, now and then all at once. */
  #forget(): void {
    if (this.#head === this.#frames.length) this.#frames = [];
    else if (this.#head > 1024) this.#frames = this.#frames.slice(this.#head);
    else return;
    this.#head = 0;
  }
}

function writePrefix(target: Uint8Array, offset: number, length: number): void {
  target[offset] = 0;
  target[offset + 1] = length >>> 24;
  target[offset + 2] = length >>> 16;
  target[offset + 3] = length >>> 8;
  target[offset + 4] = length;
}
