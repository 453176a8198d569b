/**
 * Takes apart what the engine sends for a container without a terminal: frames of both streams on one connection, each
 * with a header of 8 bytes (stream, three zeros, length as a big-endian number), as the Engine API documents for attach.
 *
 * I1 The bytes of a stream come out in order and whole, however the connection cuts them.
 * I2 Nothing is held back but a header that is not complete.
 */
import type { OutputStream } from '../contract.ts';

const headerBytes = 8;

/** Stream numbers of the header; 0 is what was typed, which engines send as stdout. */
const streamNames: readonly (OutputStream | undefined)[] = ['stdout', 'stdout', 'stderr'];

export class FrameDecoder {
  readonly #output: (stream: OutputStream, bytes: Uint8Array) => void;
  #header = Buffer.alloc(0);
  #stream: OutputStream = 'stdout';
  #leftBytes = 0;

  constructor(output: (stream: OutputStream, bytes: Uint8Array) => void) {
    this.#output = output;
  }

  /** Throws when the bytes are no frames. */
  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#leftBytes === 0) {
        const missing = headerBytes - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < headerBytes) return;
        this.#readHeader();
        continue;
      }
      const bytes = rest.subarray(0, this.#leftBytes);
      this.#leftBytes -= bytes.length;
      rest = rest.subarray(bytes.length);
      this.#output(this.#stream, bytes);
    }
  }

  #readHeader(): void {
    const stream = streamNames[this.#header[0] ?? 0xff];
    if (stream === undefined) throw new Error(`the engine sent a frame of an unknown stream ${this.#header[0]}`);
    this.#stream = stream;
    this.#leftBytes = this.#header.readUInt32BE(4);
    this.#header = Buffer.alloc(0);
  }
}
