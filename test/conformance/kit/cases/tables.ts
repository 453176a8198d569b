import assert from 'node:assert/strict';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '10 Tables';
const needs = ['storage'] as const;
const table = 'kitrows';

async function three(kit: Kit): Promise<string> {
  const partitionKey = kit.unique();
  for (const [rowKey, color] of [
    ['1', 'red'],
    ['2', 'blue'],
    ['3', 'red'],
  ] as const)
    await kit.storage.upsert(table, { partitionKey, rowKey, color });
  return partitionKey;
}

const valueAt = async (kit: Kit, path: string): Promise<unknown> => {
  const answer = await kit.function(path);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json() as { value: unknown }).value;
};

const rowKeys = (value: unknown): unknown[] => (value as { RowKey: string }[]).map(({ RowKey }) => RowKey).sort();

export const tableCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'input: both keys give one entity',
    needs,
    async run(kit) {
      const partition = await three(kit);
      const entity = (await valueAt(kit, `table/entity/${partition}/2`)) as Record<string, unknown>;
      assert.deepEqual([entity.PartitionKey, entity.RowKey, entity.color], [partition, '2', 'blue']);
    },
  },
  {
    section,
    name: 'input: a missing entity is null',
    needs,
    async run(kit) {
      const partition = await three(kit);
      assert.equal(await valueAt(kit, `table/entity/${partition}/nobody`), null);
    },
  },
  {
    section,
    name: 'input: the partition key alone gives a list',
    needs,
    async run(kit) {
      const partition = await three(kit);
      assert.deepEqual(rowKeys(await valueAt(kit, `table/partition/${partition}`)), ['1', '2', '3']);
    },
  },
  {
    section,
    name: 'input: take limits the list',
    needs,
    async run(kit) {
      const partition = await three(kit);
      assert.equal(rowKeys(await valueAt(kit, `table/take/${partition}`)).length, 2);
    },
  },
  {
    section,
    name: 'input: a filter with a value of the request',
    needs,
    async run(kit) {
      const partition = await three(kit);
      assert.deepEqual(rowKeys(await valueAt(kit, `table/filter/${partition}?color=red`)), ['1', '3']);
    },
  },
  {
    section,
    name: 'input: a filter that nothing fits gives an empty list',
    needs,
    async run(kit) {
      const partition = await three(kit);
      assert.deepEqual(await valueAt(kit, `table/filter/${partition}?color=none`), []);
    },
  },
  {
    section,
    name: 'output: an object is one entity',
    needs,
    async run(kit) {
      const partition = kit.unique();
      const body = { PartitionKey: partition, RowKey: '1', color: 'green', count: 3 };
      await kit.storage.upsert(table, { partitionKey: partition, rowKey: '0' });
      assert.equal((await kit.function('table/write', { body })).status, 201);
      const entity = await kit.storage.entity(table, partition, '1');
      assert.deepEqual([entity?.color, Number(entity?.count)], ['green', 3]);
    },
  },
  {
    section,
    name: 'output: a list is several entities',
    needs,
    async run(kit) {
      const partition = kit.unique();
      const body = ['1', '2'].map((RowKey) => ({ PartitionKey: partition, RowKey }));
      assert.equal((await kit.function('table/write', { body })).status, 201);
      for (const rowKey of ['1', '2']) assert.ok(await kit.storage.entity(table, partition, rowKey));
    },
  },
  {
    section,
    name: 'output: an entity that is there already fails the function',
    needs,
    async run(kit) {
      const partition = kit.unique();
      const body = { PartitionKey: partition, RowKey: '1' };
      assert.equal((await kit.function('table/write', { body })).status, 201);
      assert.equal((await kit.function('table/write', { body })).status, 500);
    },
  },
];
