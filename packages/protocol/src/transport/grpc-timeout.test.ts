import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatGrpcTimeout, parseGrpcTimeout } from './grpc-timeout.ts';

it.each([
  ['500m', 500],
  ['2S', 2_000],
  ['3M', 180_000],
  ['1H', 3_600_000],
  ['1500u', 1.5],
  ['2000000n', 2],
  ['0m', 0],
  ['99999999H', 99_999_999 * 3_600_000],
])('%s is %d ms', (header, timeoutMs) => {
  expect(parseGrpcTimeout(header)).toBeCloseTo(timeoutMs);
});

it.each(['', '5', 'm', '-5m', '5 m', '5ms', '123456789m', '5x', '1.5S', '٥m'])("'%s' is malformed", (header) => {
  expect(parseGrpcTimeout(header)).toBeUndefined();
});

it('a formatted timeout is never shorter than asked for, and at most a unit longer', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 3.5e11, noNaN: true }), (timeoutMs) => {
      const parsed = parseGrpcTimeout(formatGrpcTimeout(timeoutMs)) ?? Number.NaN;
      expect(parsed).toBeGreaterThanOrEqual(timeoutMs);
      expect(parsed).toBeLessThanOrEqual(Math.max(timeoutMs + 1, timeoutMs * 1.00002));
    }),
  );
});

it('a negative timeout is none, and the longest one has room', () => {
  expect(formatGrpcTimeout(-1)).toBe('0m');
  expect(formatGrpcTimeout(Number.POSITIVE_INFINITY)).toBe('99999999H');
});
