import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TriggerMetadata } from './trigger-metadata.ts';
import { textData } from './typed-data.ts';

/** The entries of one text, as a plain list. */
function propertiesOf(text: string): unknown[] {
  const data = new TriggerMetadata();
  data.setJsonProperties(text);
  return [...data.entries].map(([name, typed]) => [name, typed.data?.$case, typed.data?.value]);
}

describe('TriggerMetadata', () => {
  it('takes the top-level properties of a JSON object, as the official host spells them', () => {
    expect(propertiesOf('{"id":5,"name":"a","big":12345678901234567890,"half":0.5,"ok":true,"no":false}')).toEqual([
      ['id', 'string', '5'],
      ['name', 'string', 'a'],
      ['big', 'string', '12345678901234567890'],
      ['half', 'string', '0.5'],
      ['ok', 'string', 'True'],
      ['no', 'string', 'False'],
    ]);
  });

  it('keeps objects as JSON and leaves out lists and nulls', () => {
    expect(propertiesOf(' {"o":{"a":[1]},"l":[1],"n":null} ')).toEqual([['o', 'json', '{"a":[1]}']]);
  });

  it.each(['', 'text', '[1]', '{', '{"a":1', '"{}"', '{a}'])('adds nothing for %o', (text) => {
    expect(propertiesOf(text)).toEqual([]);
  });

  it('lets a name in another case replace the value and keeps the first spelling', () => {
    const data = new TriggerMetadata();
    data.set('Id', textData('built in'));
    data.setJsonProperties('{"id":5}');
    expect([...data.entries]).toEqual([['Id', textData('5')]]);
    expect(data.has('ID')).toBe(true);
  });

  it('is safe with names of the object prototype', () => {
    const properties = propertiesOf('{"__proto__":{"polluted":1},"constructor":"x","toString":"y"}');
    expect(properties).toEqual([
      ['__proto__', 'json', '{"polluted":1}'],
      ['constructor', 'string', 'x'],
      ['toString', 'string', 'y'],
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void propertiesOf(text)));
  });
});
