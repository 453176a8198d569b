/**
 * Reads the protobuf wire format, for the generated code. It has the members of `BinaryReader` in
 * `@bufbuild/protobuf/wire` that ts-proto uses, and reads the same values.
 *
 * I1 For every input a read gives the library's value, or throws where the library throws.
 * I2 Nothing outside the input is ever read; what `bytes` returns is a view into it.
 */

/** How deep unknown groups may nest. */
const maxGroupDepth = 100;
/** Up to this length a loop beats the call into the engine's decoder. */
const shortStringBytes = 16;

const wireType = { varint: 0, bit64: 1, delimited: 2, startGroup: 3, endGroup: 4, bit32: 5 } as const;

export class BinaryReader {
  readonly len: number;
  pos = 0;
  /** The nesting of the message being decoded; kept by the generated code. */
  __tsProtoDecodeDepth = 0;
  readonly #buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.#buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.len = bytes.length;
  }

  uint32(): number {
    const buffer = this.#buffer;
    let byte = buffer[this.pos++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = buffer[this.pos++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    byte = buffer[this.pos++] as number;
    value |= (byte & 0x0f) << 28;
    // Five more bytes may follow: a negative int32 is sent as 64 bits, of which the upper half is dropped.
    for (let read = 5; byte >= 0x80 && read < 10; read += 1) byte = buffer[this.pos++] as number;
    if (byte >= 0x80) throw new RangeError('a varint is longer than 10 bytes');
    this.#checkEnd();
    return value >>> 0;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  uint64(): bigint {
    const buffer = this.#buffer;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = buffer[this.pos++] as number;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = buffer[this.pos++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    this.#checkEnd();
    throw new RangeError('a varint is longer than 10 bytes');
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  sint64(): bigint {
    const value = this.uint64();
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  bool(): boolean {
    const byte = this.#buffer[this.pos];
    if (byte === undefined || byte >= 0x80) return this.uint64() !== 0n;
    this.pos += 1;
    return byte !== 0;
  }

  float(): number {
    const at = this.#take(4);
    return this.#buffer.readFloatLE(at);
  }

  double(): number {
    const at = this.#take(8);
    return this.#buffer.readDoubleLE(at);
  }

  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#buffer.subarray(start, start + length);
  }

  string(): string {
    const length = this.uint32();
    const start = this.#take(length);
    const buffer = this.#buffer;
    if (length > shortStringBytes) return buffer.toString('utf8', start, start + length);
    let text = '';
    for (let at = start; at < start + length; at += 1) {
      const byte = buffer[at] as number;
      if (byte > 0x7f) return buffer.toString('utf8', start, start + length);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Passes over a field of the given wire type. */
  skip(type: number, fieldNumber?: number, depth = maxGroupDepth): void {
    switch (type) {
      case wireType.varint:
        while ((this.#buffer[this.pos++] as number) >= 0x80);
        break;
      case wireType.bit64:
        this.pos += 8;
        break;
      case wireType.delimited:
        this.pos += this.uint32();
        break;
      case wireType.startGroup:
        this.#skipGroup(fieldNumber, depth);
        break;
      case wireType.bit32:
        this.pos += 4;
        break;
      default:
        throw new RangeError(`wire type ${type} cannot be skipped`);
    }
    this.#checkEnd();
  }

  #skipGroup(fieldNumber: number | undefined, depth: number): void {
    if (depth <= 0) throw new RangeError(`groups nest deeper than ${maxGroupDepth}`);
    for (;;) {
      const start = this.pos;
      const tag = this.uint32();
      const size = this.pos - start;
      const number = tag >>> 3;
      const type = tag & 7;
      const overflows = size > 5 || (size === 5 && (this.#buffer[this.pos - 1] as number) > 0x0f);
      if (overflows || number === 0 || type > wireType.bit32) throw new RangeError(`illegal tag ${tag} in a group`);
      if (type !== wireType.endGroup) {
        this.skip(type, number, depth - 1);
        continue;
      }
      if (fieldNumber !== undefined && number !== fieldNumber) throw new RangeError('a group ends under another number');
      return;
    }
  }

  /** Moves over `size` bytes; answers where they start. */
  #take(size: number): number {
    const start = this.pos;
    this.pos += size;
    this.#checkEnd();
    return start;
  }

  #checkEnd(): void {
    if (this.pos > this.len) throw new RangeError('the message ends in the middle of a field');
  }
}
