import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSettingsView } from './settings.ts';

const view = createSettingsView([
  ['Name', 'value'],
  ['Section__Key', 'nested'],
  ['Empty', ''],
  ['Percent', '100%'],
]);

describe('createSettingsView', () => {
  it('finds names in any case, with either separator', () => {
    expect(view.get('NAME')).toBe('value');
    expect(view.get('section:key')).toBe('nested');
    expect(view.get('SECTION__KEY')).toBe('nested');
    expect(view.get('Missing')).toBeUndefined();
    expect(view.get('constructor')).toBeUndefined();
  });

  it('lets the last of names that differ only in case hold', () => {
    expect(
      createSettingsView([
        ['A__B', '1'],
        ['a:b', '2'],
      ]).get('A:B'),
    ).toBe('2');
  });

  it('lists the members of a section', () => {
    const members = createSettingsView([
      ['Conn__serviceUri', 'u'],
      ['Conn__a__b', 'v'],
      ['Connection', 'w'],
    ]).section('CONN');
    expect([...members]).toEqual([
      ['serviceuri', 'u'],
      ['a:b', 'v'],
    ]);
  });
});

describe('expand', () => {
  it.each([
    ['plain', 'plain'],
    ['%Name%', 'value'],
    ['a-%name%-%SECTION__KEY%-z', 'a-value-nested-z'],
    ['%Percent%', '100%'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(view.expand(text, 'queue')).toBe(expected);
  });

  it.each([
    ['%Missing%', 'SETTING_MISSING', 'the queue name of F refers to the app setting "Missing"'],
    ['%Empty%', 'SETTING_MISSING', '"Empty", which is missing or empty'],
    ['100%', 'SETTING_REFERENCE_INVALID', 'position 4: a "%" is never closed'],
    ['a%%b', 'SETTING_REFERENCE_INVALID', 'position 2: no name stands between two "%"'],
  ])('%j is an error that says where and why', (text, code, message) => {
    try {
      view.expand(text, 'the queue name of F');
      expect.unreachable();
    } catch (thrown) {
      expect(isPlatformError(thrown) && thrown.code).toBe(code);
      expect(String(thrown)).toContain(message);
    }
  });

  it('replaces once: a value is not expanded again', () => {
    const values = fc.string();
    fc.assert(
      fc.property(
        values.filter((value) => value !== ''),
        (value) => {
          expect(createSettingsView([['X', value]]).expand('<%X%>', 'test')).toBe(`<${value}>`);
        },
      ),
    );
  });

  it('answers any text with a text or a catalogued error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('%', 'N', 'a', 'm', 'e') }), (text) => {
        try {
          expect(typeof view.expand(text, 'test')).toBe('string');
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
      }),
    );
  });

  it('stops before a text grows without bounds', () => {
    const big = createSettingsView([['X', 'x'.repeat(300_000)]]);
    expect(() => big.expand('%X%%X%%X%%X%', 'test')).toThrow('too long');
  });
});
