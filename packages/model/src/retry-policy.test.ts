import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromRpcRetry, parseRetryJson } from './retry-policy.ts';

describe('parseRetryJson', () => {
  it.each([
    [
      { strategy: 'fixedDelay', maxRetryCount: 4, delayInterval: '00:00:10' },
      { strategy: 'fixedDelay', maxRetryCount: 4, delayMs: 10_000 },
    ],
    [
      { Strategy: 'EXPONENTIALBACKOFF', maxRetryCount: '-1', minimumInterval: '00:00:05', maximumInterval: '00:15:00' },
      { strategy: 'exponentialBackoff', maxRetryCount: -1, minimumMs: 5_000, maximumMs: 900_000 },
    ],
  ])('reads %j', (value, expected) => {
    expect(parseRetryJson(value, 'W')).toEqual(expected);
  });

  it.each([
    ['x', '"retry" is "x" and must be an object'],
    [{}, '"retry.strategy" is missing and must be fixedDelay or exponentialBackoff'],
    [{ strategy: 'sometimes' }, '"retry.strategy" is "sometimes"'],
    [{ strategy: 'fixedDelay' }, '"retry.maxRetryCount" is missing'],
    [{ strategy: 'fixedDelay', maxRetryCount: -2, delayInterval: '00:00:01' }, '"retry.maxRetryCount" is -2'],
    [{ strategy: 'fixedDelay', maxRetryCount: 1.5, delayInterval: '00:00:01' }, 'is 1.5'],
    [{ strategy: 'fixedDelay', maxRetryCount: 1 }, '"retry.delayInterval" is missing'],
    [{ strategy: 'fixedDelay', maxRetryCount: 1, delayInterval: 10 }, '"retry.delayInterval" is 10'],
    [{ strategy: 'fixedDelay', maxRetryCount: 1, delayInterval: '-00:00:01' }, '"retry.delayInterval" is -1000 ms'],
    [
      { strategy: 'exponentialBackoff', maxRetryCount: 1, minimumInterval: '00:00:01' },
      '"retry.maximumInterval" is missing',
    ],
    [
      { strategy: 'exponentialBackoff', maxRetryCount: 1, minimumInterval: '00:00:09', maximumInterval: '00:00:01' },
      '9000 ms with a maximum of 1000 ms',
    ],
  ])('refuses %j', (value, message) => {
    expect(() => parseRetryJson(value, 'W')).toThrow(message);
    expect(() => parseRetryJson(value, 'W')).toThrow(/^W: /);
  });

  it('answers any JSON with a policy or a catalogued error', () => {
    const keys = fc.constantFrom('strategy', 'maxRetryCount', 'delayInterval', 'minimumInterval', 'maximumInterval');
    const values = fc.oneof(fc.constantFrom('fixedDelay', 'exponentialBackoff', '00:00:01', 3), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(keys, values), (value) => {
        try {
          expect(parseRetryJson(value, 'W').maxRetryCount).toBeGreaterThanOrEqual(-1);
        } catch (thrown) {
          expect(isPlatformError(thrown) && thrown.code).toBe('RETRY_INVALID');
        }
      }),
    );
  });
});

describe('fromRpcRetry', () => {
  const rest = { delayInterval: undefined, minimumInterval: undefined, maximumInterval: undefined };
  const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 500_000_000 });

  it('maps both strategies', () => {
    expect(fromRpcRetry({ ...rest, maxRetryCount: 2, retryStrategy: 1, delayInterval: seconds(3) }, 'W')).toEqual({
      strategy: 'fixedDelay',
      maxRetryCount: 2,
      delayMs: 3_500,
    });
    expect(
      fromRpcRetry(
        { ...rest, maxRetryCount: -1, retryStrategy: 0, minimumInterval: seconds(1), maximumInterval: seconds(2) },
        'W',
      ),
    ).toEqual({ strategy: 'exponentialBackoff', maxRetryCount: -1, minimumMs: 1_500, maximumMs: 2_500 });
  });

  it('misses an interval that the strategy needs', () => {
    expect(() => fromRpcRetry({ ...rest, maxRetryCount: 2, retryStrategy: 1 }, 'W')).toThrow(
      '"retryOptions.delayInterval"',
    );
    expect(() => fromRpcRetry({ ...rest, maxRetryCount: 2, retryStrategy: 0 }, 'W')).toThrow('minimumInterval');
  });
});
