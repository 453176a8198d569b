/**
 * Stands in for the `iconv-lite` package in the bundle: the v3 library decodes HTTP bodies by their byte order mark,
 * which names one of five encodings. The mark itself is cut off before.
 */
export function decode(bytes: Uint8Array, encoding: string): string {
  switch (encoding) {
    case 'utf16le':
      return new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes);
    case 'utf16be':
      return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(bytes);
    case 'utf32le':
      return decodeUtf32(bytes, true);
    case 'utf32be':
      return decodeUtf32(bytes, false);
    default:
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }
}

const replacement = 0xfffd;

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let offset = 0; offset + 4 <= bytes.byteLength; offset += 4) {
    const point = view.getUint32(offset, littleEndian);
    const isScalar = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    text += String.fromCodePoint(isScalar ? point : replacement);
  }
  return text;
}
