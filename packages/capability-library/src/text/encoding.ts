import { refuseParameter, shorten } from '../parameters.ts';

export const encodings = ['base64', 'base64url', 'hex'] as const;

export type Encoding = (typeof encodings)[number];

/** Each encoding's alphabet; base64 may be padded. */
const patterns: Readonly<Record<Encoding, RegExp>> = {
  base64: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/,
  base64url: /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}(?:==)?|[A-Za-z0-9_-]{3}=?)?$/,
  hex: /^(?:[0-9a-fA-F]{2})*$/,
};

export function encode(data: Uint8Array, encoding: Encoding): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(encoding);
}

/** Fails with PARAMETER_INVALID for text that is not all of the encoding: nothing is skipped in silence. */
export function decode(text: string, encoding: Encoding): Uint8Array {
  const compact = text.replace(/[\r\n]/g, '');
  if (!patterns[encoding].test(compact)) refuseParameter('The text', `'${shorten(text)}' is not ${encoding}`);
  return new Uint8Array(Buffer.from(compact, encoding));
}
