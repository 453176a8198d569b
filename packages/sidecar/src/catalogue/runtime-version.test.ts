import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, coversVersion, supportedVersionOf } from './runtime-version.ts';

describe('versions of languages', () => {
  test.each([
    ['20', '20.11.1', true],
    ['v20.11', '20.11.1', true],
    ['~20', 'v20.11.1', true],
    ['20.x', '20.11.1', true],
    ['3.11', '3.11.7', true],
    ['3.1', '3.11.7', false],
    ['20.11.1', '20', false],
    ['', '20', false],
    ['latest', '20', false],
  ])('%s covers %s: %s', (wanted, version, covers) => {
    expect(coversVersion(wanted, version)).toBe(covers);
  });

  test('are compared number by number', () => {
    expect(['3.9', '3.12', '3.10.1', '3.10'].sort(compareVersions)).toEqual(['3.9', '3.10', '3.10.1', '3.12']);
  });

  test('fall under the most exact entry of a list', () => {
    expect(supportedVersionOf(['7', '7.2', '7.4'], '7.4.1')).toBe('7.4');
    expect(supportedVersionOf(['7', '7.2'], '7.9')).toBe('7');
    expect(supportedVersionOf(['3.11'], '3.13.0')).toBeUndefined();
  });

  test('any text can be compared', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      }),
    );
  });
});
