import type { TypedData } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryTables } from '../testing/memory-tables.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import { createTableOutput } from './table-output.ts';

const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

function outputOf(raw: Record<string, unknown> = {}) {
  const clock = new VirtualClock();
  const tables = new MemoryTables();
  const kind = createTableOutput({ tables });
  const binding = createBinding({ name: 'out', type: 'table', direction: 'out', tableName: 'Orders', ...raw });
  const options = kind.parse(binding, createScope({ settings }));
  const context = createContext({ clock, random: createSeededRandom(1) });
  const write = (value: TypedData, data: Record<string, TypedData> = {}) =>
    clock.runUntil(kind.write(options, value, new Map(Object.entries(data)), context));
  const rows = (table = 'Orders') =>
    tables.entities(options.connection, table)?.map(({ partitionKey, rowKey }) => `${partitionKey}/${rowKey}`);
  const etag = (partitionKey: string, rowKey: string) =>
    tables.etagOf(options.connection, 'Orders', partitionKey, rowKey);
  return { tables, write, rows, etag, connection: options.connection };
}

const one = '{"PartitionKey":"eu","RowKey":"1","Name":"x"}';

describe('createTableOutput', () => {
  it.each([
    ['an object', jsonData(one), ['eu/1']],
    ['a list', jsonData(`[${one},{"PartitionKey":"us","RowKey":"1"}]`), ['eu/1', 'us/1']],
    ['an empty list', jsonData('[]'), undefined],
    ['JSON in a text', textData(one), ['eu/1']],
    ['JSON in bytes', toTypedData(new TextEncoder().encode(`[${one}]`)), ['eu/1']],
    ['nothing', jsonData('null'), undefined],
  ] as [string, TypedData, string[] | undefined][])('writes %s', async (_name, value, expected) => {
    const { write, rows } = outputOf();
    await write(value);
    expect(rows()).toEqual(expected);
  });

  it('creates the table', async () => {
    const { write, tables } = outputOf();
    await write(jsonData(one));
    expect(tables.requests).toEqual(['submit Orders', 'create Orders', 'submit Orders']);
  });

  it('takes keys and table from the binding, filled with binding data', async () => {
    const { write, rows } = outputOf({ tableName: 'Log{year}', partitionKey: '{region}', rowKey: '{rand-guid}' });
    await write(jsonData('[{"A":1},{"A":2}]'), { year: textData('2024'), region: textData('eu') }).catch(() => {});
    await write(jsonData('{"A":1}'), { year: textData('2025'), region: textData('eu') });
    expect(rows('Log2025')).toEqual([expect.stringMatching(/^eu\/[0-9a-f-]{36}$/)]);
    await expect(write(jsonData('{}'), { year: textData('-'), region: textData('eu') })).rejects.toThrow(
      /'Log-' is no name of a table/,
    );
  });

  it('writes a partition in batches of a hundred', async () => {
    const { write, rows, tables } = outputOf({ partitionKey: 'eu' });
    const entities = Array.from({ length: 250 }, (_, index) => ({ RowKey: String(index) }));
    await write(jsonData(JSON.stringify(entities)));
    expect(rows()).toHaveLength(250);
    expect(tables.requests.filter((request) => request.startsWith('submit'))).toHaveLength(4);
  });

  it('refuses to write over an entity, unless it may', async () => {
    const { write, etag } = outputOf();
    await write(jsonData(one));
    await expect(write(jsonData(one))).rejects.toThrow(/'Orders' did not take 1 entities.*'eu'.*EntityAlreadyExists/);
    await write(jsonData(one.replace('{', '{"ETag":"*",')));
    const current = JSON.stringify(etag('eu', '1'));
    await write(jsonData(one.replace('{', `{"ETag":${current},`)));
    await expect(write(jsonData(one.replace('{', `{"ETag":${current},`)))).rejects.toThrow(
      /UpdateConditionNotSatisfied/,
    );
  });

  it('checks everything before it writes anything', async () => {
    const { write, tables } = outputOf();
    await expect(write(jsonData(`[${one},{"RowKey":"2"}]`))).rejects.toThrow(/no "PartitionKey"/);
    await expect(write(jsonData(`[${one},"text"]`))).rejects.toThrow(/"text" is no object/);
    await expect(write(textData('text'))).rejects.toThrow(/no JSON object/);
    await expect(write({ data: { $case: 'collectionString', value: { string: [] } } })).rejects.toThrow(
      /collectionString/,
    );
    expect(tables.requests).toEqual([]);
  });

  it('tries again when a request fails, and rejects when all do', async () => {
    const { write, rows, tables } = outputOf();
    let failures = 2;
    tables.fault = () => (failures-- > 0 ? Promise.reject(new Error('down')) : undefined);
    await write(jsonData(one));
    expect(rows()).toEqual(['eu/1']);
    tables.fault = () => Promise.reject(new Error('down'));
    await expect(write(jsonData(one))).rejects.toThrow('down');
  });

  it('gives up on a table that disappears again and again', async () => {
    const { write, tables, connection } = outputOf();
    tables.fault = (operation) => {
      if (operation === 'submit') tables.remove(connection, 'Orders');
      return undefined;
    };
    await expect(write(jsonData(one))).rejects.toThrow(/'Orders' disappeared/);
  });

  it.each([
    [{ tableName: '' }, /"tableName" is ""/],
    [{ tableName: '1x' }, /'1x' is no name of a table/],
    [{ rowKey: 5 }, /"rowKey" is 5/],
  ])('refuses %o while it parses', (raw, message) => {
    expect(() => outputOf(raw)).toThrow(message);
  });
});
