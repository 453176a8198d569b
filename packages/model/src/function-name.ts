import { createHash } from 'node:crypto';
import { modelErrors } from './errors.ts';

const namePattern = /^[a-z][a-z0-9_-]{0,127}$/i;

/**
 * Checks the name of a function: letters, digits, `_` and `-`, a letter first, at most 128, and not `host`.
 * @throws PlatformError FUNCTION_NAME_INVALID
 */
export function checkFunctionName(name: string, where: string): void {
  const problem =
    name.toLowerCase() === 'host' ? "this name is the host's own" : 'it has other characters or is too long';
  if (!namePattern.test(name) || name.toLowerCase() === 'host') {
    throw modelErrors.create('FUNCTION_NAME_INVALID', { where, name: name.slice(0, 200), problem });
  }
}

/** An id for a function that no worker named: the same name gives the same id, so it outlives a restart. */
export function toFunctionId(name: string): string {
  const hex = createHash('sha256').update(name.toLowerCase()).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
