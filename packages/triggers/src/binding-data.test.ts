import { describe, expect, it } from 'vitest';
import { bindingDataFrom } from './binding-data.ts';
import { jsonData, textData } from './typed-data.ts';

describe('bindingDataFrom', () => {
  it('gives plain values, without those that are none', () => {
    const values = bindingDataFrom(
      new Map([
        ['name', textData('a')],
        ['count', jsonData('2')],
        ['query', jsonData('{"k":"v"}')],
        ['none', { data: undefined }],
        ['null', jsonData('null')],
        ['broken', jsonData('{')],
      ]),
    );
    expect([...values]).toEqual([
      ['name', 'a'],
      ['count', 2],
      ['query', { k: 'v' }],
      ['broken', '{'],
    ]);
  });
});
