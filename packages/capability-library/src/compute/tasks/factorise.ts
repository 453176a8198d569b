import { describe, refuseParameter } from '../../parameters.ts';

const maxDigits = 40;

/** Bases that tell primes from composites without error below 3.3 * 10^24, and beyond that with none known. */
const witnesses = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n];

/** The prime factors of a whole number, smallest first: trial division, then Pollard's rho. */
export function factorise(value: unknown): bigint[] {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number !== 'bigint' || number < 1n || number.toString().length > maxDigits)
    refuseParameter(
      'The number',
      `it is ${describe(value)}, and must be whole, above 0, with up to ${maxDigits} digits`,
    );
  const factors: bigint[] = [];
  let rest = number;
  for (let divisor = 2n; divisor < 1_000n && divisor * divisor <= rest; divisor += divisor === 2n ? 1n : 2n)
    for (; rest % divisor === 0n; rest /= divisor) factors.push(divisor);
  split(rest, factors);
  return factors.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
}

function split(number: bigint, factors: bigint[]): void {
  if (number === 1n) return;
  if (isPrime(number)) {
    factors.push(number);
    return;
  }
  const divisor = findDivisor(number);
  split(divisor, factors);
  split(number / divisor, factors);
}

function isPrime(number: bigint): boolean {
  if (number < 2n) return false;
  for (const prime of witnesses) if (number % prime === 0n) return number === prime;
  let odd = number - 1n;
  let twos = 0;
  for (; odd % 2n === 0n; odd /= 2n) twos += 1;
  return witnesses.every((witness) => {
    let power = modularPower(witness, odd, number);
    if (power === 1n || power === number - 1n) return true;
    for (let step = 1; step < twos; step += 1) {
      power = (power * power) % number;
      if (power === number - 1n) return true;
    }
    return false;
  });
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let power = base % modulus;
  for (let rest = exponent; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) result = (result * power) % modulus;
    power = (power * power) % modulus;
  }
  return result;
}

/** A divisor of a composite number; each constant gives another walk, until one finds it. */
function findDivisor(number: bigint): bigint {
  for (let constant = 1n; ; constant += 1n) {
    const step = (value: bigint): bigint => (value * value + constant) % number;
    let slow = 2n;
    let fast = 2n;
    let divisor = 1n;
    while (divisor === 1n) {
      slow = step(slow);
      fast = step(step(fast));
      divisor = greatestCommonDivisor(slow > fast ? slow - fast : fast - slow, number);
    }
    if (divisor !== number) return divisor;
  }
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [first, second] = [left, right];
  while (second !== 0n) [first, second] = [second, first % second];
  return first;
}
