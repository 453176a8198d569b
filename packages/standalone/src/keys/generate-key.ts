import type { Random } from '@switchyard/kernel';

/** As long as the official host's keys. */
const keySizeBytes = 40;

/** A new function key: unpredictable, and safe in a URL. */
export function generateKey(random: Pick<Random, 'bytes'>): string {
  return Buffer.from(random.bytes(keySizeBytes)).toString('base64url');
}
