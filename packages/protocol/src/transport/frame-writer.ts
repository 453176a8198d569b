/**
 * Collects the frames of one turn of the event loop and turns them into few writes: small frames are copied, prefixes
 * and all, into one buffer; large ones travel as views, in slices.
 *
 * I1 The bytes written are, for each frame in the order added, its prefix and the frame.
 * I2 A frame above `copyLimitBytes` is never copied.
 */
import { framePrefixBytes } from './frame-reader.ts';

/** Frames up to this size are copied together; copying costs less than one more buffer through the stream layers. */
export const copyLimitBytes = 32 * 1024;
/** The largest buffer that small frames are gathered in. */
export const maxGatherBytes = 128 * 1024;
/** A large frame is written in slices of this size, so that progress is visible to the send buffer's marks. */
export const sliceBytes = 256 * 1024;

export class FrameWriter {
  #frames: Uint8Array[] = [];
  #pendingBytes = 0;

  /** Bytes added and not flushed, prefixes included. */
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
    this.#pendingBytes = 0;
  }

  /** The writes for everything added since the last call. */
  flush(): Uint8Array[] {
    const frames = this.#frames;
    const writes: Uint8Array[] = [];
    let from = 0;
    let gathered = 0;
    for (let at = 0; at < frames.length; at += 1) {
      const length = (frames[at] as Uint8Array).length;
      const small = length <= copyLimitBytes;
      gathered += framePrefixBytes + (small ? length : 0);
      if (small && gathered < maxGatherBytes && at + 1 < frames.length) continue;
      writes.push(gather(frames, from, at + 1, gathered));
      if (!small) slice(frames[at] as Uint8Array, writes);
      from = at + 1;
      gathered = 0;
    }
    this.clear();
    return writes;
  }
}

/** Copies frames [from, to) with their prefixes; of a last frame that is large, only the prefix. */
function gather(frames: readonly Uint8Array[], from: number, to: number, sizeBytes: number): Uint8Array {
  const target = Buffer.allocUnsafe(sizeBytes);
  let offset = 0;
  for (let at = from; at < to; at += 1) {
    const frame = frames[at] as Uint8Array;
    const length = frame.length;
    target[offset] = 0;
    target[offset + 1] = length >>> 24;
    target[offset + 2] = length >>> 16;
    target[offset + 3] = length >>> 8;
    target[offset + 4] = length;
    offset += framePrefixBytes;
    if (length > copyLimitBytes) break;
    target.set(frame, offset);
    offset += length;
  }
  return target;
}

function slice(frame: Uint8Array, writes: Uint8Array[]): void {
  for (let start = 0; start < frame.length; start += sliceBytes) {
    writes.push(frame.subarray(start, Math.min(frame.length, start + sliceBytes)));
  }
}
