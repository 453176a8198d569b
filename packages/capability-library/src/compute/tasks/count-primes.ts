import { asInteger } from '../../parameters.ts';

const segmentSize = 1 << 18;

/** How many primes there are up to `limit`, by a segmented sieve: memory stays small whatever the limit. */
export function countPrimes(limit: unknown): number {
  const last = asInteger(limit, 'The limit', 0, 10_000_000_000);
  if (last < 2) return 0;
  const base = smallPrimes(Math.floor(Math.sqrt(last)));
  let count = 0;
  for (let low = 2; low <= last; low += segmentSize) {
    const high = Math.min(low + segmentSize - 1, last);
    const composite = new Uint8Array(high - low + 1);
    for (const prime of base) {
      const first = Math.max(prime * prime, Math.ceil(low / prime) * prime);
      for (let multiple = first; multiple <= high; multiple += prime) composite[multiple - low] = 1;
    }
    for (const mark of composite) count += 1 - mark;
  }
  return count;
}

function smallPrimes(limit: number): number[] {
  const composite = new Uint8Array(limit + 1);
  const primes: number[] = [];
  for (let number = 2; number <= limit; number += 1) {
    if (composite[number] === 1) continue;
    primes.push(number);
    for (let multiple = number * number; multiple <= limit; multiple += number) composite[multiple] = 1;
  }
  return primes;
}
