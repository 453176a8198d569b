/** A sealed message: one byte of format, four of key version, then nonce, tag and ciphertext. */

const format = 1;
const headBytes = 5;

export function frameSealed(version: number, content: Uint8Array): Uint8Array {
  const framed = new Uint8Array(headBytes + content.length);
  framed[0] = format;
  new DataView(framed.buffer).setUint32(1, version);
  framed.set(content, headBytes);
  return framed;
}

/** Undefined when the bytes are no sealed message. */
export function parseSealed(
  framed: Uint8Array,
): { readonly version: number; readonly content: Uint8Array } | undefined {
  if (framed.length <= headBytes || framed[0] !== format) return undefined;
  const version = new DataView(framed.buffer, framed.byteOffset).getUint32(1);
  return { version, content: framed.subarray(headBytes) };
}
