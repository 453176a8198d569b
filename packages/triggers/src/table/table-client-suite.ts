/** What every TableClient promises. */
import { describe, expect, it } from 'vitest';
import type { TableClient, TableEntity, TableValue } from './table-client.ts';

const { signal } = new AbortController();

/** Runs the promises against tables of the given names, which do not exist at first. */
export function testTableClient(
  name: string,
  open: (tableName: string) => TableClient,
  etagOf: (table: TableClient, partitionKey: string, rowKey: string) => Promise<string>,
): void {
  let tables = 0;
  const fresh = (): TableClient => {
    tables += 1;
    return open(`Suite${tables}`);
  };
  const created = async (...rowKeys: string[]): Promise<TableClient> => {
    const table = fresh();
    await table.create(signal);
    for (const rowKey of rowKeys) await insert(table, 'p', rowKey);
    return table;
  };

  describe(`${name} as a table client`, () => {
    it('says that a table is missing, and does nothing else about it', async () => {
      const table = fresh();
      expect(await table.get('p', 'r', signal)).toEqual({ kind: 'missing' });
      expect(await table.query({ filter: undefined, maxEntities: 5 }, signal)).toEqual({ kind: 'missing' });
      expect(await insert(table, 'p', 'r')).toEqual({ kind: 'missing' });
      expect(await table.get('p', 'r', signal)).toEqual({ kind: 'missing' });
    });

    it('creates a table, and is content when it exists', async () => {
      const table = await created('r');
      await table.create(signal);
      expect(await rowKeys(table)).toEqual(['r']);
    });

    it('gives back every type as it was written', async () => {
      const table = await created();
      const properties = new Map<string, TableValue>([
        ['Text', { type: 'String', text: 'ä日本🎉' }],
        ['Empty', { type: 'String', text: '' }],
        ['Yes', { type: 'Boolean', text: 'true' }],
        ['Small', { type: 'Int32', text: '-5' }],
        ['Large', { type: 'Int64', text: '9007199254740993' }],
        ['Fraction', { type: 'Double', text: '1.5' }],
        ['Time', { type: 'DateTime', text: '2024-01-02T03:04:05.678Z' }],
        ['Id', { type: 'Guid', text: '11111111-2222-3333-4444-555555555555' }],
        ['Bytes', { type: 'Binary', text: 'AQID' }],
        ['camelCase', { type: 'String', text: 'kept' }],
      ]);
      const entity = { partitionKey: "o'clock", rowKey: 'a b', properties };
      expect(await table.submit([{ kind: 'insert', entity }], signal)).toEqual({ kind: 'done' });
      const found = await table.get("o'clock", 'a b', signal);
      expect(found).toMatchObject({ kind: 'found', entity: { partitionKey: "o'clock", rowKey: 'a b' } });
      const back = found.kind === 'found' ? found.entity.properties : new Map();
      expect(Object.fromEntries(back)).toEqual(Object.fromEntries(properties));
      const page = await table.query({ filter: undefined, maxEntities: 1 }, signal);
      expect(page.kind === 'page' && page.entities.map(({ properties: found }) => Object.fromEntries(found))).toEqual([
        Object.fromEntries(properties),
      ]);
    });

    it('says that an entity is missing', async () => {
      const table = await created('r');
      expect(await table.get('p', 'gone', signal)).toEqual({ kind: 'missing' });
    });

    it('pages through what the filter lets through, in order', async () => {
      const table = await created('1', '2', '3', '4', '5');
      await insert(table, 'other', '0');
      const seen: string[] = [];
      let continuation: string | undefined;
      do {
        const page = await table.query({ filter: "PartitionKey eq 'p'", maxEntities: 2, continuation }, signal);
        if (page.kind === 'missing') throw new Error('the table exists');
        expect(page.entities.length).toBeLessThanOrEqual(2);
        seen.push(...page.entities.map(({ rowKey }) => rowKey));
        continuation = page.continuation;
      } while (continuation !== undefined);
      expect(seen).toEqual(['1', '2', '3', '4', '5']);
    });

    it('refuses to insert what exists, and then writes nothing of the batch', async () => {
      const table = await created('r');
      const actions = ['new', 'r'].map((rowKey) => ({ kind: 'insert', entity: entityOf('p', rowKey) }) as const);
      expect(await table.submit(actions, signal)).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('Exists'),
      });
      expect(await rowKeys(table)).toEqual(['r']);
    });

    it('upserts what exists and what does not', async () => {
      const table = await created('r');
      const actions = ['r', 'new'].map(
        (rowKey) => ({ kind: 'upsert', entity: entityOf('p', rowKey, { V: { type: 'Int64', text: '2' } }) }) as const,
      );
      expect(await table.submit(actions, signal)).toEqual({ kind: 'done' });
      expect(await rowKeys(table)).toEqual(['new', 'r']);
      const found = await table.get('p', 'r', signal);
      expect(found.kind === 'found' && found.entity.properties.get('V')?.text).toBe('2');
    });

    it('replaces only the version that was named', async () => {
      const table = await created('r');
      const etag = await etagOf(table, 'p', 'r');
      const replace = (rowKey: string) => [{ kind: 'replace', entity: entityOf('p', rowKey), etag }] as const;
      expect(await table.submit(replace('r'), signal)).toEqual({ kind: 'done' });
      expect(await table.submit(replace('r'), signal)).toMatchObject({ kind: 'refused' });
      expect(await table.submit(replace('gone'), signal)).toMatchObject({ kind: 'refused' });
    });

    it('takes a hundred at once', async () => {
      const table = await created();
      const actions = Array.from({ length: 100 }, (_, index) => {
        return { kind: 'insert', entity: entityOf('p', String(index).padStart(3, '0')) } as const;
      });
      expect(await table.submit(actions, signal)).toEqual({ kind: 'done' });
      expect(await rowKeys(table)).toHaveLength(100);
    });

    it('rejects at once when the signal has aborted', async () => {
      const table = await created('r');
      await expect(table.get('p', 'r', AbortSignal.abort())).rejects.toThrow();
      expect(await rowKeys(table)).toEqual(['r']);
    });
  });
}

function entityOf(
  partitionKey: string,
  rowKey: string,
  properties: Readonly<Record<string, TableValue>> = {},
): TableEntity {
  return { partitionKey, rowKey, properties: new Map(Object.entries(properties)) };
}

function insert(table: TableClient, partitionKey: string, rowKey: string): ReturnType<TableClient['submit']> {
  return table.submit([{ kind: 'insert', entity: entityOf(partitionKey, rowKey) }], signal);
}

async function rowKeys(table: TableClient): Promise<readonly string[]> {
  const page = await table.query({ filter: undefined, maxEntities: 1_000 }, signal);
  return page.kind === 'page' ? page.entities.map(({ rowKey }) => rowKey) : [];
}
