import { invariant } from '@switchyard/kernel';
import { createSeededRandom } from '../seeded-random.ts';

/** The dice of a simulated world: the same seed throws the same numbers. */
export interface Chance {
  /** True with the probability `share`. */
  happens(share: number): boolean;
  /** A whole number from `minimum` to `maximum`, both included. */
  between(minimum: number, maximum: number): number;
  /** One of the items; there must be one. */
  pick<T>(items: readonly T[]): T;
  /** Dice of their own for a part of the world, so that its throws do not shift those of the others. */
  fork(): Chance;
}

export function createChance(seed: number): Chance {
  const random = createSeededRandom(seed);
  const between = (minimum: number, maximum: number): number =>
    minimum + Math.floor(random.next() * (maximum - minimum + 1));
  return {
    happens: (share) => random.next() < share,
    between,
    pick<T>(items: readonly T[]): T {
      invariant(items.length > 0, 'there is nothing to pick from');
      return items[between(0, items.length - 1)] as T;
    },
    fork: () => createChance(between(0, 2 ** 31)),
  };
}
