import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableAction, TableValue } from './table-client.ts';
import { formatEntity, parseExactJson, type TableKeys, toTableAction } from './table-entity.ts';

const noKeys: TableKeys = { partitionKey: undefined, rowKey: undefined };
const keys: TableKeys = { partitionKey: 'p', rowKey: 'r' };

function actionOf(json: string, given: TableKeys = keys): TableAction {
  const result = toTableAction(parseExactJson(json), given);
  if (result.kind === 'invalid') throw new Error(result.reason);
  return result.action;
}

function propertiesOf(json: string): Record<string, TableValue> {
  return Object.fromEntries(actionOf(json).entity.properties);
}

describe('toTableAction', () => {
  it.each([
    ['{"A":"text"}', { type: 'String', text: 'text' }],
    ['{"A":true}', { type: 'Boolean', text: 'true' }],
    ['{"A":5}', { type: 'Int64', text: '5' }],
    ['{"A":-0}', { type: 'Int64', text: '0' }],
    ['{"A":9007199254740993}', { type: 'Int64', text: '9007199254740993' }],
    ['{"A":-9223372036854775808}', { type: 'Int64', text: '-9223372036854775808' }],
    ['{"A":9223372036854775808}', { type: 'Double', text: '9223372036854775808' }],
    ['{"A":1.0}', { type: 'Double', text: '1.0' }],
    ['{"A":1e3}', { type: 'Double', text: '1e3' }],
    ['{"A":{"b":[1,null,"x"]}}', { type: 'String', text: '{"b":[1,null,"x"]}' }],
    ['{"A":[1]}', { type: 'String', text: '[1]' }],
    ['{"A":"2024-01-02T03:04:05Z"}', { type: 'String', text: '2024-01-02T03:04:05Z' }],
  ])('writes %s', (json, value) => {
    expect(propertiesOf(json)).toEqual({ A: value });
  });

  it('leaves out null and what the service keeps itself', () => {
    expect(propertiesOf('{"A":null,"Timestamp":"x","odata.metadata":"y"}')).toEqual({});
  });

  it('takes keys from the entity, in any case, before those of the binding', () => {
    expect(actionOf('{"partitionKey":"mine","ROWKEY":5}').entity).toMatchObject({ partitionKey: 'mine', rowKey: '5' });
    expect(actionOf('{}').entity).toMatchObject({ partitionKey: 'p', rowKey: 'r' });
    expect(actionOf('{"PartitionKey":null}').entity.partitionKey).toBe('p');
    expect(actionOf('{"PartitionKey":"","RowKey":""}', noKeys).entity).toMatchObject({ partitionKey: '', rowKey: '' });
  });

  it('inserts, upserts or replaces, by the ETag', () => {
    expect(actionOf('{}').kind).toBe('insert');
    expect(actionOf('{"ETag":"*"}').kind).toBe('upsert');
    expect(actionOf('{"etag":"W/1"}')).toMatchObject({ kind: 'replace', etag: 'W/1' });
    expect(actionOf('{"odata.etag":"W/1"}')).toMatchObject({ kind: 'replace', etag: 'W/1' });
    expect(actionOf('{"ETag":null}').kind).toBe('insert');
  });

  it.each([
    ['"text"', keys, /"text" is no object/],
    ['5', keys, /5 is no object/],
    ['[1]', keys, /\[1\] is no object/],
    ['null', keys, /null is no object/],
    ['{}', noKeys, /no "PartitionKey"/],
    ['{"PartitionKey":"p"}', noKeys, /no "RowKey"/],
    ['{"RowKey":"a/b"}', keys, /"RowKey" "a\/b" has one of the characters/],
    [`{"RowKey":"${'x'.repeat(513)}"}`, keys, /513 characters/],
    ['{"not a name":1}', keys, /"not a name" is no name/],
    ['{"":1}', keys, /"" is no name/],
  ])('refuses %s and says why', (json, given, reason) => {
    expect(toTableAction(parseExactJson(json), given)).toEqual({
      kind: 'invalid',
      reason: expect.stringMatching(reason),
    });
  });

  it('survives hostile names', () => {
    const action = actionOf('{"__proto__":{"a":1},"constructor":"x"}');
    expect([...action.entity.properties.keys()]).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('formatEntity', () => {
  const format = (properties: Record<string, TableValue>): string =>
    formatEntity({ partitionKey: 'p', rowKey: 'r', properties: new Map(Object.entries(properties)) });

  it('writes keys and properties in order, every digit kept', () => {
    const text = format({
      Text: { type: 'String', text: 'a"b' },
      Yes: { type: 'Boolean', text: 'True' },
      Large: { type: 'Int64', text: '9007199254740993' },
      Small: { type: 'Int32', text: '-5' },
      Fraction: { type: 'Double', text: '1.5' },
      Endless: { type: 'Double', text: 'INF' },
      Time: { type: 'DateTime', text: '2024-01-02T03:04:05Z' },
      Id: { type: 'Guid', text: '1-2' },
      Bytes: { type: 'Binary', text: 'AQID' },
    });
    expect(text).toBe(
      '{"PartitionKey":"p","RowKey":"r","Text":"a\\"b","Yes":true,"Large":9007199254740993,"Small":-5,' +
        '"Fraction":1.5,"Endless":"INF","Time":"2024-01-02T03:04:05Z","Id":"1-2","Bytes":"AQID"}',
    );
  });

  it('writes JSON that gives the same entity back', () => {
    const value = fc.oneof(
      fc.string().map((text): TableValue => ({ type: 'String', text })),
      fc.boolean().map((yes): TableValue => ({ type: 'Boolean', text: String(yes) })),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((whole): TableValue => {
        return { type: 'Int64', text: String(whole) };
      }),
    );
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((key) => {
      return !/^(partitionkey|rowkey|etag|timestamp)$/i.test(key);
    });
    fc.assert(
      fc.property(fc.dictionary(name, value), (properties) => {
        expect(propertiesOf(format(properties))).toEqual({ ...properties });
      }),
    );
  });
});
