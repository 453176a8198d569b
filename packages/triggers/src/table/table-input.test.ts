import type { TypedData } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryTables } from '../testing/memory-tables.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { jsonData, textData } from '../typed-data.ts';
import type { TableValue } from './table-client.ts';
import { createTableInput } from './table-input.ts';

const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true', TABLE: 'Orders' };

function inputOf(raw: Record<string, unknown>, properties: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const tables = new MemoryTables();
  const kind = createTableInput({ tables });
  const binding = { ...createBinding({ name: 'orders', type: 'table', tableName: 'Orders', ...raw }), properties };
  const options = kind.parse(binding, createScope({ settings }));
  const context = createContext({ clock, random: createSeededRandom(1) });
  const read = (data: Record<string, TypedData> = {}) =>
    clock.runUntil(kind.read(options, new Map(Object.entries(data)), context));
  const put = (partitionKey: string, rowKey: string, values: Record<string, string> = {}): void => {
    const given = Object.entries(values).map(([name, text]): [string, TableValue] => [name, { type: 'String', text }]);
    tables.put(options.connection, 'Orders', partitionKey, rowKey, Object.fromEntries(given));
  };
  return { tables, read, put };
}

/** The rows of a list. */
async function rowsOf(value: Promise<TypedData | undefined>): Promise<unknown[]> {
  const { data } = (await value) ?? {};
  const list = JSON.parse(data?.$case === 'json' ? data.value : 'null') as { RowKey: string }[];
  return list.map((entity) => entity.RowKey);
}

describe('createTableInput', () => {
  it('reads one entity by its keys', async () => {
    const { read, put } = inputOf({ tableName: '%TABLE%', partitionKey: 'eu', rowKey: '{id}' });
    put('eu', '5', { Name: 'x' });
    expect(await read({ id: textData('5') })).toEqual(jsonData('{"PartitionKey":"eu","RowKey":"5","Name":"x"}'));
  });

  it('gives a value without content where there is no entity or no table', async () => {
    const { read, put } = inputOf({ partitionKey: 'eu', rowKey: '5' });
    expect(await read()).toEqual({ data: undefined });
    put('eu', '6');
    expect(await read()).toEqual({ data: undefined });
  });

  it('reads a partition, a filter, or everything', async () => {
    for (const [raw, expected] of [
      [{}, ['1', '2', '1']],
      [{ partitionKey: 'eu' }, ['1', '2']],
      [{ filter: "Name eq '{name}'" }, ['2', '1']],
      [{ partitionKey: '{region}', filter: "Name eq '{name}'" }, ['2']],
    ] as const) {
      const { read, put } = inputOf(raw);
      put('eu', '1', { Name: 'other' });
      put('eu', '2', { Name: "O'Hara" });
      put('us', '1', { Name: "O'Hara" });
      expect(await rowsOf(read({ name: textData("O'Hara"), region: textData('eu') }))).toEqual(expected);
    }
  });

  it('does not let a filter reach beyond its partition', async () => {
    const { read, put, tables } = inputOf({ partitionKey: "o'clock", filter: "A eq 'x'" });
    put("o'clock", '1', { A: 'x' });
    await read();
    expect(tables.filters).toEqual(["PartitionKey eq 'o''clock' and (A eq 'x')"]);
  });

  it.each([
    [undefined, 2_500],
    [0, 2_500],
    [5, 5],
    ['7', 7],
    [1_500, 1_500],
  ])('with take %o reads %d entities of 2500', async (take, count) => {
    const { read, put } = inputOf(take === undefined ? {} : { take });
    for (let index = 0; index < 2_500; index += 1) put('eu', String(index).padStart(5, '0'));
    expect(await rowsOf(read())).toHaveLength(count);
  });

  it('reads an empty list where there is no table', async () => {
    expect(await inputOf({}).read()).toEqual(jsonData('[]'));
  });

  it('gives the query alone where the worker reads the table itself', async () => {
    const raw = { partitionKey: '{region}', filter: "A eq '{a}'", take: 5, connection: 'AzureWebJobsStorage' };
    const { read, tables } = inputOf(raw, { supportsDeferredBinding: 'True' });
    const value = await read({ region: textData('eu'), a: textData('x') });
    const model = value?.data?.$case === 'modelBindingData' ? value.data.value : undefined;
    expect(model).toMatchObject({ version: '1.0', source: 'AzureStorageTables', contentType: 'application/json' });
    expect(JSON.parse(new TextDecoder().decode(model?.content))).toEqual({
      TableName: 'Orders',
      Take: 5,
      Filter: "A eq 'x'",
      Connection: 'AzureWebJobsStorage',
      PartitionKey: 'eu',
      RowKey: null,
    });
    expect(tables.requests).toEqual([]);
  });

  it('tries again when a request fails, and rejects when all do', async () => {
    const { read, put, tables } = inputOf({});
    put('eu', '1');
    let failures = 2;
    tables.fault = () => (failures-- > 0 ? Promise.reject(new Error('down')) : undefined);
    expect(await rowsOf(read())).toEqual(['1']);
    tables.fault = () => Promise.reject(new Error('down'));
    await expect(read()).rejects.toThrow('down');
  });

  it('refuses values that would change the filter, and missing ones', async () => {
    const { read } = inputOf({ filter: 'Age gt {age}' });
    await expect(read({ age: textData('1 or true') })).rejects.toThrow(/"1 or true" cannot stand in the filter/);
    await expect(read()).rejects.toThrow(/age/);
    const named = inputOf({ tableName: '{table}' });
    await expect(named.read({ table: textData('no-table') })).rejects.toThrow(/'no-table' is no name of a table/);
  });

  it('says when there is more than a function can be given', async () => {
    const { read, put } = inputOf({});
    const text = 'x'.repeat(1_000_000);
    for (let index = 0; index < 105; index += 1) put('eu', String(index), { Text: text });
    await expect(read()).rejects.toThrow(/'Orders' is larger than 104857600 bytes.*filter/);
  });

  it.each([
    [{ tableName: undefined }, /"tableName" is missing/],
    [{ tableName: 'a-b' }, /'a-b' is no name of a table/],
    [{ rowKey: '1' }, /"rowKey" is "1", but it needs a "partitionKey"/],
    [{ take: -1 }, /"take" is -1/],
    [{ take: 'many' }, /"take" is "many"/],
    [{ filter: 5 }, /"filter" is 5/],
    [{ filter: '{' }, /partner/],
    [{ partitionKey: {} }, /"partitionKey" is/],
    [{ connection: 'Missing' }, /'Missing' is missing/],
  ])('refuses %o while it parses', (raw, message) => {
    expect(() => inputOf(raw)).toThrow(message);
  });
});
