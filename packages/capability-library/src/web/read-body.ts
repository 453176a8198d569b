import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { libraryErrors } from '../errors.ts';
import { shown } from './web-target.ts';

const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** More encodings on top of one another are nothing but an attack. */
const maxEncodings = 2;

/**
 * Reads a body, unpacked. The bytes are counted after unpacking, as they come, so neither a long body nor a small one that
 * unpacks to a long one is held. Fails with WEB_LIMIT_EXCEEDED.
 */
export async function readBody(body: Readable, encoding: string, maxBytes: number, url: string): Promise<Uint8Array> {
  const names = encoding.split(',').map((name) => name.trim().toLowerCase());
  const packed = names.filter((name) => name !== '' && name !== 'identity').reverse();
  if (packed.length > maxEncodings) throw tooMuch(url, 'the number of encodings', `${maxEncodings}`);
  let stream = body;
  for (const name of packed) {
    const create = Object.hasOwn(unpackers, name) ? unpackers[name] : undefined;
    if (create === undefined)
      throw libraryErrors.create('WEB_REQUEST_FAILED', { url: shown(url), reason: `it came in encoding '${name}'` });
    const next = create();
    stream.on('error', (error) => next.destroy(error));
    stream = stream.pipe(next);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes) throw tooMuch(url, 'the body', `${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    body.destroy();
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function tooMuch(url: string, what: string, limit: string): Error {
  return libraryErrors.create('WEB_LIMIT_EXCEEDED', { url: shown(url), what, limit });
}
