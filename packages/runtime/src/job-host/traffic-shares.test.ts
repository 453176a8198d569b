import { describe, expect, test } from 'vitest';
import { checkShares } from './traffic-shares.ts';

const known = ['1/blue', '1/green', '2/red'].map((name) => {
  const [metadataVersion = '', codeVersion = ''] = name.split('/');
  return { applicationId: 'shop', metadataVersion, codeVersion };
});

const share = (metadataVersion: string, codeVersion: string, weight: number) => ({
  metadataVersion,
  codeVersion,
  weight,
});

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

describe('checkShares', () => {
  test.each([
    [[share('1', 'blue', 80), share('1', 'green', 20)], '1'],
    [[share('1', 'blue', 0), share('2', 'red', 100)], '2'],
    [[share('1', 'green', 100)], '1'],
  ])('takes %j', (shares, metadataVersion) => {
    expect(checkShares('shop', shares, known)).toBe(metadataVersion);
  });

  test.each([
    ['weights that sum to less', [share('1', 'blue', 99)], 'TRAFFIC_WEIGHTS_INVALID'],
    ['no weights', [], 'TRAFFIC_WEIGHTS_INVALID'],
    ['parts of a percent', [share('1', 'blue', 99.5), share('1', 'green', 0.5)], 'TRAFFIC_WEIGHTS_INVALID'],
    ['negative weights', [share('1', 'blue', 110), share('1', 'green', -10)], 'TRAFFIC_WEIGHTS_INVALID'],
    ['no number', [share('1', 'blue', Number.NaN)], 'TRAFFIC_WEIGHTS_INVALID'],
    ['a version twice', [share('1', 'blue', 50), share('1', 'blue', 50)], 'TRAFFIC_WEIGHTS_INVALID'],
    ['an unknown version', [share('1', 'blue', 50), share('1', '__proto__', 50)], 'TRAFFIC_VERSION_UNKNOWN'],
    ['an unknown version without weight', [share('1', 'blue', 100), share('9', 'x', 0)], 'TRAFFIC_VERSION_UNKNOWN'],
    ['two metadata versions', [share('1', 'blue', 50), share('2', 'red', 50)], 'TRAFFIC_METADATA_MIXED'],
  ])('refuses %s', (_what, shares, code) => {
    expect(codeOf(() => checkShares('shop', shares, known))).toBe(code);
  });

  test('names the app, the value and the fix', () => {
    expect(() => checkShares('shop', [share('1', 'blue', 30)], known)).toThrow(
      /'shop' cannot be used: they sum to 30. Give every version once/,
    );
    expect(() => checkShares('shop', [share('1', 'pink', 100)], known)).toThrow(
      /no version '1\/pink' .* Its versions: 1\/blue, 1\/green, 2\/red/,
    );
  });
});
