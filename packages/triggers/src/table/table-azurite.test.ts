/** The table kinds together, against a real table service. */
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import type { TypedData } from '@switchyard/protocol';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureTableService } from '../azure-storage/azure-table-service.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { jsonData, textData } from '../typed-data.ts';
import { createTableInput } from './table-input.ts';
import { createTableOutput } from './table-output.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const context = createContext({ clock: systemClock, random: systemRandom, log: silentLog });

describe.skipIf(part.skip)('table kinds against Azurite', () => {
  const tables = createAzureTableService();
  const input = createTableInput({ tables });
  const output = createTableOutput({ tables });
  let azurite: Azurite;

  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite.stop());

  const scope = () => createScope({ settings: { AzureWebJobsStorage: azurite.connectionString } });
  const write = (raw: Record<string, unknown>, value: unknown): Promise<void> => {
    const binding = createBinding({ name: 'out', type: 'table', direction: 'out', ...raw });
    return output.write(output.parse(binding, scope()), jsonData(JSON.stringify(value)), new Map(), context);
  };
  const read = async (raw: Record<string, unknown>, data: Record<string, TypedData> = {}): Promise<unknown> => {
    const options = input.parse(createBinding({ name: 'in', type: 'table', ...raw }), scope());
    const value = await input.read(options, new Map(Object.entries(data)), context);
    return value?.data?.$case === 'json' ? JSON.parse(value.data.value) : undefined;
  };

  it('input reads what output wrote, one entity and lists', async () => {
    const entities = Array.from({ length: 120 }, (_, index) => {
      const RowKey = String(index).padStart(3, '0');
      return { PartitionKey: 'eu', RowKey, Name: index % 2 === 0 ? "O'Hara" : 'Ann', Count: index, Tags: ['a', 'b'] };
    });
    await write({ tableName: 'Orders' }, [...entities, { PartitionKey: 'us', RowKey: '1', Price: 1.5, Paid: true }]);
    expect(await read({ tableName: 'Orders', partitionKey: 'us', rowKey: '{id}' }, { id: textData('1') })).toEqual({
      PartitionKey: 'us',
      RowKey: '1',
      Price: 1.5,
      Paid: true,
    });
    expect(await read({ tableName: 'Orders', partitionKey: 'eu', rowKey: '007' })).toMatchObject({
      Count: 7,
      Tags: '["a","b"]',
    });
    expect(await read({ tableName: 'Orders', partitionKey: 'eu' })).toHaveLength(120);
    const filter = "Name eq '{name}' and Count ge {least}";
    const data = { name: textData("O'Hara"), least: textData('100') };
    expect(await read({ tableName: 'Orders', partitionKey: 'eu', filter }, data)).toHaveLength(10);
    expect(await read({ tableName: 'Orders', take: 5 })).toHaveLength(5);
    expect(await read({ tableName: 'Orders', partitionKey: 'eu', rowKey: 'gone' })).toBeUndefined();
    expect(await read({ tableName: 'Nothing' })).toEqual([]);
  });

  it('writes over an entity only when it may', async () => {
    const entity = { PartitionKey: 'p', RowKey: 'r', V: 1 };
    await write({ tableName: 'Versions' }, entity);
    await expect(write({ tableName: 'Versions' }, entity)).rejects.toThrow(/EntityAlreadyExists/);
    await write({ tableName: 'Versions' }, { ...entity, V: 2, ETag: '*' });
    expect(await read({ tableName: 'Versions', partitionKey: 'p', rowKey: 'r' })).toMatchObject({ V: 2 });
  });
});
