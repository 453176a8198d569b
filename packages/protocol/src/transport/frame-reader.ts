/**
 * Cuts a byte stream into gRPC messages: one flag byte, four bytes of length (big endian), then the message.
 *
 * Ownership: one reader per stream and direction. Chunks are handed in by `push`, which may be called only after `next`
 * has answered undefined; messages are pulled out by `next`. A message that lies in one chunk is a view into it; one that
 * spans chunks is copied once into a buffer of its own.
 *
 * I1 Whatever way the bytes are cut into chunks, the same messages come out.
 * I2 Memory held for an unfinished message is at most four times what has arrived of it, and never above the limits.
 * I3 A message above the size limit is refused on its length prefix, before any of it is buffered.
 * I4 After a failure nothing more is read.
 */
import { grpcStatus, type LinkStatus } from '../link.ts';
import type { AssemblyBudget } from './assembly-budget.ts';
import { oversized } from './link-statuses.ts';

/** The length of the prefix in front of each message. */
export const framePrefixBytes = 5;

/** The smallest buffer for a message that spans chunks. */
const minimumAssemblyBytes = 4096;

const empty = new Uint8Array(0);

export interface FrameReaderOptions {
  readonly maxMessageBytes: number;
  readonly budget: AssemblyBudget;
  /** The status for a message with the compressed flag; depends on what the peer announced. */
  readonly onCompressed: LinkStatus;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  #chunk: Uint8Array = empty;
  #offset = 0;
  /** Bytes of a prefix that the last chunk ended in. */
  readonly #prefix = new Uint8Array(framePrefixBytes);
  #prefixFilled = 0;
  /** The message that spans chunks, when `#wanted` is not -1. */
  #assembly: Uint8Array = empty;
  #assembled = 0;
  #wanted = -1;
  #failure: LinkStatus | undefined;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** Why reading stopped for good. */
  get failure(): LinkStatus | undefined {
    return this.#failure;
  }

  /** True while `next` may have more to say about what was pushed. */
  get hasUnread(): boolean {
    return this.#offset < this.#chunk.length;
  }

  /** True when all that was pushed has been pulled, and the last message is unfinished. */
  get isMidMessage(): boolean {
    return this.#wanted !== -1 || this.#prefixFilled > 0;
  }

  /** Hands in the next bytes. They must not change afterwards. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** The next whole message, or undefined when more bytes are needed or `failure` is set. */
  next(): Uint8Array | undefined {
    const chunk = this.#chunk;
    const start = this.#offset;
    if (this.#wanted === -1 && this.#prefixFilled === 0 && chunk.length - start >= framePrefixBytes) {
      const length = this.#length(chunk, start);
      if (length < 0) return undefined;
      const body = start + framePrefixBytes;
      if (chunk.length - body >= length) {
        this.#offset = body + length;
        return chunk.subarray(body, body + length);
      }
    }
    return this.#assemble();
  }

  /** Gives back what an unfinished message holds. Nothing is read afterwards. */
  release(): void {
    this.#options.budget.release(this.#assembly.length);
    this.#assembly = empty;
    this.#wanted = -1;
    this.#chunk = empty;
    this.#offset = 0;
  }

  /** The slow path: a message, or its prefix, that lies in more than one chunk. */
  #assemble(): Uint8Array | undefined {
    if (this.#failure) return undefined;
    if (this.#wanted === -1 && !this.#beginAssembly()) return undefined;
    const take = Math.min(this.#wanted - this.#assembled, this.#chunk.length - this.#offset);
    if (!this.#grow(this.#assembled + take)) return undefined;
    this.#assembly.set(this.#chunk.subarray(this.#offset, this.#offset + take), this.#assembled);
    this.#assembled += take;
    this.#offset += take;
    if (this.#assembled < this.#wanted) return undefined;
    const message = this.#assembly.subarray(0, this.#wanted);
    this.#options.budget.release(this.#assembly.length);
    this.#assembly = empty;
    this.#wanted = -1;
    return message;
  }

  #beginAssembly(): boolean {
    while (this.#prefixFilled < framePrefixBytes && this.#offset < this.#chunk.length) {
      this.#prefix[this.#prefixFilled++] = this.#chunk[this.#offset++] as number;
    }
    if (this.#prefixFilled < framePrefixBytes) return false;
    this.#prefixFilled = 0;
    const length = this.#length(this.#prefix, 0);
    if (length < 0) return false;
    this.#wanted = length;
    this.#assembled = 0;
    return true;
  }

  /** Makes room for `size` bytes of the message, with as much again in advance as the sender has earned. */
  #grow(size: number): boolean {
    const held = this.#assembly.length;
    if (size <= held) return true;
    const capacity = Math.min(this.#wanted, Math.max(minimumAssemblyBytes, size * 4));
    if (!this.#options.budget.reserve(capacity - held)) {
      this.#fail(outOfMemory(this.#wanted, this.#options.budget));
      return false;
    }
    const larger = Buffer.allocUnsafeSlow(capacity);
    larger.set(this.#assembly.subarray(0, this.#assembled));
    this.#assembly = larger;
    return true;
  }

  /** Reads a prefix; -1 after a failure. */
  #length(bytes: Uint8Array, at: number): number {
    if (this.#failure) return -1;
    const flag = bytes[at] as number;
    if (flag !== 0) {
      this.#fail(flag === 1 ? this.#options.onCompressed : unknownFlag(flag));
      return -1;
    }
    const length =
      (bytes[at + 1] as number) * 0x1000000 +
      (((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number));
    if (length > this.#options.maxMessageBytes) {
      this.#fail(oversized(length, this.#options.maxMessageBytes));
      return -1;
    }
    return length;
  }

  #fail(status: LinkStatus): void {
    this.#failure = status;
    this.release();
  }
}

function unknownFlag(flag: number): LinkStatus {
  return { code: grpcStatus.internal, message: `a message starts with flag ${flag}; only 0 and 1 exist` };
}

function outOfMemory(sizeBytes: number, budget: AssemblyBudget): LinkStatus {
  return {
    code: grpcStatus.resourceExhausted,
    message:
      `a message of ${sizeBytes} bytes does not fit: unfinished messages hold ${budget.heldBytes} of ` +
      `${budget.limitBytes} bytes already. Send fewer large messages at a time`,
  };
}
