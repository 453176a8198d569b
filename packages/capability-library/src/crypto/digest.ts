import { createHash } from 'node:crypto';
import { describe, refuseParameter } from '../parameters.ts';

/** The digests on offer. MD5 and SHA-1 are broken and left out. */
export const digestAlgorithms = ['sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-512', 'blake2b512'] as const;

/** The digest of bytes. Fails with PARAMETER_INVALID for an algorithm that is not on offer. */
export function digest(algorithm: unknown, data: Uint8Array): Uint8Array {
  const name = typeof algorithm === 'string' ? algorithm.toLowerCase().replace(/^sha-(?=\d)/, 'sha') : undefined;
  const found = digestAlgorithms.find((one) => one === name);
  if (found === undefined)
    refuseParameter('The algorithm', `it is ${describe(algorithm)}, and must be one of ${digestAlgorithms.join(', ')}`);
  return plainBytes(createHash(found).update(data).digest());
}

/** A Buffer's bytes on their own: a Buffer may be a window on memory that it shares. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}
