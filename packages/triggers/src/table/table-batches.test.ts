import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBatches } from './table-batches.ts';
import type { TableAction } from './table-client.ts';

function insert(partitionKey: string, rowKey: string, text = ''): TableAction {
  const properties = new Map([['Text', { type: 'String', text } as const]]);
  return { kind: 'insert', entity: { partitionKey, rowKey, properties } };
}

function plan(actions: readonly TableAction[]): string[][] {
  return planBatches(actions).map((batch) => batch.map(({ entity }) => `${entity.partitionKey}${entity.rowKey}`));
}

describe('planBatches', () => {
  it('groups by partition', () => {
    expect(plan([insert('a', '1'), insert('b', '1'), insert('a', '2')])).toEqual([['a1', 'a2'], ['b1']]);
    expect(plan([])).toEqual([]);
  });

  it('writes a row that comes again later', () => {
    expect(plan([insert('a', '1'), insert('a', '2'), insert('a', '1'), insert('a', '3')])).toEqual([
      ['a1', 'a2'],
      ['a1', 'a3'],
    ]);
  });

  it('begins a new batch after a hundred, and before it grows too large', () => {
    const many = Array.from({ length: 250 }, (_, index) => insert('a', String(index)));
    expect(planBatches(many).map((batch) => batch.length)).toEqual([100, 100, 50]);
    const large = [1, 2, 3].map((index) => insert('a', String(index), 'x'.repeat(400_000)));
    expect(planBatches(large).map((batch) => batch.length)).toEqual([2, 1]);
  });

  it('loses nothing, keeps the order of every partition, and repeats no row in a batch', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const row = fc.integer({ min: 0, max: 5 }).map(String);
    fc.assert(
      fc.property(fc.array(fc.tuple(key, row)), (rows) => {
        const actions = rows.map(([partitionKey, rowKey]) => insert(partitionKey, rowKey));
        const batches = planBatches(actions);
        for (const partition of ['a', 'b', 'c']) {
          const wanted = actions.filter(({ entity }) => entity.partitionKey === partition);
          expect(batches.flat().filter(({ entity }) => entity.partitionKey === partition)).toEqual(wanted);
        }
        for (const batch of batches) {
          expect(new Set(batch.map(({ entity }) => entity.partitionKey)).size).toBe(1);
          expect(new Set(batch.map(({ entity }) => entity.rowKey)).size).toBe(batch.length);
        }
      }),
    );
  });
});
