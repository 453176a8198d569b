import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNumber } from './number-format.ts';

describe('formatNumber', () => {
  it.each<readonly [format: string, value: number | bigint, text: string]>([
    ['', 42, '42'],
    ['G', -1.5, '-1.5'],
    ['G3', 1234.5, '1.23E+03'],
    ['g3', 1234.5, '1.23e+03'],
    ['G5', 1234.5, '1234.5'],
    ['G2', 0.000012345, '1.2E-05'],
    ['G', 0.00000125, '1.25E-06'],
    ['D', 42, '42'],
    ['d5', -42, '-00042'],
    ['X', 255, 'FF'],
    ['x4', 255, '00ff'],
    ['X', -1, 'FFFFFFFFFFFFFFFF'],
    ['N', 1234567.891, '1,234,567.89'],
    ['N2', 1234567.895, '1,234,567.90'],
    ['N0', -1234.5, '-1,235'],
    ['n1', 999, '999.0'],
    ['N', 12345678901234567890n, '12,345,678,901,234,567,890.00'],
    ['F', 1.005, '1.00'],
    ['F0', 2.5, '3'],
    ['F3', -0.0001, '0.000'],
    ['F2', 1e21, '1000000000000000000000.00'],
    ['E', 12345.678, '1.234568E+004'],
    ['e2', -0.00123, '-1.23e-003'],
    ['E0', 5, '5E+000'],
    ['P', 0.1234, '12.34 %'],
    ['P1', -0.07, '-7.0 %'],
    ['P0', 12, '1,200 %'],
    ['C', 1234.5, '¤1,234.50'],
    ['C0', -3, '(¤3)'],
    ['R', 0.1, '0.1'],
  ])('standard %j', (format, value, text) => {
    expect(formatNumber(value, format)).toBe(text);
  });

  it.each<readonly [format: string, value: number | bigint, text: string]>([
    ['000', 7, '007'],
    ['000', 12345, '12345'],
    ['#', 0, ''],
    ['0', 0.4, '0'],
    ['#,##0', 1234567, '1,234,567'],
    ['#,##0', 7, '7'],
    ['#,##0.00', 1234.5, '1,234.50'],
    ['0,0', 1234567, '1,234,567'],
    ['0000,0', 12, '00,012'],
    ['#.##', 1.5, '1.5'],
    ['#.##', 1, '1'],
    ['0.00##', 1.5, '1.50'],
    ['.00', 12.345, '12.35'],
    ['.00', 0.5, '.50'],
    ['0.0', -0.04, '0.0'],
    ['0.0', -0.05, '-0.1'],
    ['0,', 1_600_000, '1600'],
    ['0,,', 1_600_000, '2'],
    ['0,,.0', 1_650_000, '1.7'],
    ['0%', 0.256, '26%'],
    ['0.0‰', 0.0256, '25.6‰'],
    ['000-00-0000', 123456789, '123-45-6789'],
    ["0' pieces'", 3, '3 pieces'],
    ['0 \\#', 3, '3 #'],
    ['"no" 0', 3, 'no 3'],
    ['0;(0)', -3, '(3)'],
    ['0;(0)', 3, '3'],
    ['0;;none', 0, 'none'],
    ['0;;none', -3, '-3'],
    ['0.0;(0.0);none', -0.01, 'none'],
    ['0.00E+00', 12345, '1.23E+04'],
    ['0.00e0', 0.00012, '1.20e-4'],
    ['00.0E-0', 12345, '12.3E3'],
    ['0.#################', 0.1 + 0.2, '0.3'],
    ['zz', 5, 'zz'],
    ['id-', -5, '-id-'],
    ['0 Ex', 5, '5 Ex'],
  ])('custom %j', (format, value, text) => {
    expect(formatNumber(value, format)).toBe(text);
  });

  it.each([
    ['Q', 1],
    ['Z2', 1],
    ['D', 1.5],
    ['X', 1.5],
    ['R', 5],
    ["0'", 1],
    ['0\\', 1],
  ])('refuses %j for %s', (format, value) => {
    expect(formatNumber(value, format)).toBeUndefined();
  });

  it('writes every number so that it can be read again', () => {
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 0, max: 8 }), (value, precision) => {
        for (const format of [`N${precision}`, `F${precision}`, `#,##0.${'0'.repeat(precision)}`]) {
          const read = Number((formatNumber(value, format) ?? 'x').replaceAll(',', ''));
          expect([format, Math.abs(read - value) <= 0.5000001 * 10 ** -precision + Math.abs(value) * 1e-14]).toEqual([
            format,
            true,
          ]);
        }
      }),
    );
  });
});
