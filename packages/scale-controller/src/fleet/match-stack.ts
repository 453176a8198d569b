import type { Stack } from '@switchyard/model';
import { stackLabel } from '../stack-pool.ts';

export type StackMatch =
  | { readonly kind: 'exact'; readonly stack: Stack }
  /** `reason` says what there is instead, for the person who asked. */
  | { readonly kind: 'none'; readonly reason: string };

/**
 * The stack among those there are that is wanted: exactly that language, version and architecture. A version that is left
 * open takes the first one of the language.
 */
export function matchStack(wanted: Stack, available: readonly Stack[]): StackMatch {
  const sameRuntime = available.filter(({ runtime }) => runtime === wanted.runtime);
  const fitting = sameRuntime.filter(
    ({ version, architecture }) =>
      (wanted.version === '' || version === wanted.version) &&
      (wanted.architecture === '' || architecture === wanted.architecture),
  );
  const [stack] = fitting;
  if (stack !== undefined) return { kind: 'exact', stack };
  if (sameRuntime.length === 0) {
    const known = [...new Set(available.map(({ runtime }) => runtime))].sort().join(', ') || 'no language at all';
    return { kind: 'none', reason: `there is no worker for '${wanted.runtime}' here; there is ${known}` };
  }
  const versions = sameRuntime.map((one) => stackLabel(one)).sort();
  return { kind: 'none', reason: `${stackLabel(wanted)} is wanted exactly, and ${versions.join(', ')} is here` };
}

export function isSameStack(one: Stack, other: Stack): boolean {
  return stackLabel(one) === stackLabel(other);
}
