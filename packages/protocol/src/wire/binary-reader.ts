/**
 * Reads the protobuf wire format, for the generated code. It has the members of `BinaryReader` in
 * `@bufbuild/protobuf/wire` that ts-proto uses, and reads the same values.
 *
 * I1 For every input a read gives the library's value, or throws where the library throws. Groups, which proto3 does not
 *    have, are refused; the library passes over them.
 * I2 Nothing outside the input is ever read; what `bytes` returns is a view into it.
 */

/** Up to this length a loop beats the call into the engine's decoder. */
const shortStringBytes = 16;

const wireType = { varint: 0, bit64: 1, delimited: 2, bit32: 5 } as const;

export class BinaryReader {
  readonly len: number;
  pos = 0;
  /** The nesting of the message being decoded; kept by the generated code. */
  __tsProtoDecodeDepth = 0;
  readonly #input: Uint8Array;
  readonly #buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.#input = bytes;
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
    return this.#input.subarray(start, start + length);
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
  skip(type: number): void {
    switch (type) {
      case wireType.varint:
        while ((this.#buffer[this.pos++] as number) >= 0x80);
        this.#checkEnd();
        return;
      case wireType.bit64:
        this.#take(8);
        return;
      case wireType.delimited:
        this.#take(this.uint32());
        return;
      case wireType.bit32:
        this.#take(4);
        return;
      default:
        throw new RangeError(`a field has wire type ${type}, which proto3 does not use`);
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
