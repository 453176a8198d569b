/** How long keys live. Pure: a ring asks with the time as an argument. */

const dayMs = 86_400_000;

/** No token holds longer than this, so a key that signs no more is needed no longer than this. */
export const longestTokenMs = 30 * dayMs;

/** Clocks of machines may differ by this much. */
export const clockSkewMs = 30_000;

/** A key as far as its life is concerned. */
export interface KeyAge {
  readonly keyId: string;
  readonly createdAtMs: number;
}

export interface KeyPlan<Key extends KeyAge> {
  /** The newest; undefined when there is none. */
  readonly signing: Key | undefined;
  /** Those whose tokens may still hold, newest first, the signing one included. */
  readonly verifying: readonly Key[];
  /** Those whose last token has ended. */
  readonly ended: readonly Key[];
}

/**
 * What each key is for. A key stops signing when a newer one exists, and ends when the last token that it can have signed
 * has; `graceMs` is how long after its successor's birth a process may not know of it yet.
 */
export function planKeys<Key extends KeyAge>(keys: readonly Key[], nowMs: number, graceMs: number): KeyPlan<Key> {
  const newestFirst = [...keys].sort(
    (left, right) => right.createdAtMs - left.createdAtMs || (left.keyId < right.keyId ? -1 : 1),
  );
  const holdsMs = longestTokenMs + clockSkewMs + graceMs;
  const verifying: Key[] = [];
  const ended: Key[] = [];
  newestFirst.forEach((key, index) => {
    const successor = newestFirst[index - 1];
    const isNeeded = successor === undefined || nowMs < successor.createdAtMs + holdsMs;
    (isNeeded ? verifying : ended).push(key);
  });
  return { signing: newestFirst[0], verifying, ended };
}
