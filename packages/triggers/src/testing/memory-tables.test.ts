import { describe, expect, it } from 'vitest';
import { testTableClient } from '../table/table-client-suite.ts';
import { MemoryTables } from './memory-tables.ts';
import { memoryConnection } from './storage.ts';

const { signal } = new AbortController();
const shared = new MemoryTables();

testTableClient(
  'memory',
  (name) => shared.open(memoryConnection, name),
  async (table, partitionKey, rowKey) => shared.etagOf(memoryConnection, table.name, partitionKey, rowKey) ?? '',
);

describe('MemoryTables', () => {
  it('lets a test look and break', async () => {
    const tables = new MemoryTables();
    const client = tables.open(memoryConnection, 'Orders');
    expect(tables.entities(memoryConnection, 'Orders')).toBeUndefined();
    tables.put(memoryConnection, 'Orders', 'p', 'r', { A: { type: 'String', text: 'x' } });
    expect(tables.entities(memoryConnection, 'orders')).toMatchObject([{ partitionKey: 'p', rowKey: 'r' }]);
    await client.query({ filter: "A eq 'x'", maxEntities: 1 }, signal);
    expect(tables.filters).toEqual(["A eq 'x'"]);
    await expect(client.query({ filter: 'A gt 5', maxEntities: 1 }, signal)).rejects.toThrow('A gt 5');
    tables.fault = () => Promise.reject(new Error('down'));
    await expect(client.get('p', 'r', signal)).rejects.toThrow('down');
    expect(tables.requests).toEqual(['query Orders', 'query Orders', 'get Orders']);
    tables.remove(memoryConnection, 'Orders');
    expect(tables.entities(memoryConnection, 'Orders')).toBeUndefined();
  });
});
