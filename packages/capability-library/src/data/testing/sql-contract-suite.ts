/** What `data.sql` promises, whatever the engine underneath. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CapabilityInstance } from '../../capability-module.ts';
import { codeOf } from '../../testing/code-of.ts';
import { methodsOf } from '../../testing/methods-of.ts';

export interface SqlUnderTest {
  readonly title: string;
  readonly skip?: boolean;
  /** The engine's way to write a parameter. */
  parameter(position: number): string;
  /** A statement that would run for a very long time, with one column. */
  readonly endless: string;
  /** A fresh, empty database. */
  open(config: Readonly<Record<string, unknown>>): Promise<CapabilityInstance>;
}

const item = 'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL)';

export function sqlContractSuite({ title, skip, parameter: p, endless, open }: SqlUnderTest): void {
  describe.skipIf(skip === true)(title, () => {
    let instance: CapabilityInstance;
    let sql: ReturnType<typeof methodsOf>;

    const reopen = async (config: Readonly<Record<string, unknown>>): Promise<void> => {
      await instance?.dispose?.();
      instance = await open(config);
      sql = methodsOf(instance);
    };

    beforeEach(async () => {
      await reopen({ maxRows: 100, maxResultBytes: 100_000, timeoutMs: 20_000 });
      await sql('execute', [item]);
      await sql('execute', [`INSERT INTO item VALUES (1, ${p(1)}, ${p(2)})`, ['pen', 1.5]]);
    });

    afterEach(async () => {
      await instance.dispose?.();
    });

    const names = async (): Promise<unknown> =>
      ((await sql('query', ['SELECT name FROM item ORDER BY id'])) as { name: string }[]).map(({ name }) => name);

    test('gives rows by column, and counts changes', async () => {
      expect(await sql('query', ['SELECT id, name, price FROM item'])).toEqual([{ id: 1, name: 'pen', price: 1.5 }]);
      expect(await sql('execute', ["INSERT INTO item VALUES (2, 'ink', NULL), (3, 'pad', 2)"])).toBe(2);
      expect(await sql('execute', ["UPDATE item SET name = name || '!'"])).toBe(3);
      expect(await names()).toEqual(['pen!', 'ink!', 'pad!']);
    });

    test('values are never read as SQL', async () => {
      const hostile = "'); DROP TABLE item; --";
      await sql('execute', [`INSERT INTO item VALUES (2, ${p(1)}, NULL)`, [hostile]]);
      expect(await names()).toEqual(['pen', hostile]);
      expect(await sql('query', [`SELECT id FROM item WHERE name = ${p(1)}`, ["x' OR '1'='1"]])).toEqual([]);
    });

    test('a text with two statements runs none of them', async () => {
      for (const second of ['DROP TABLE item', 'SELECT 2', 'COMMIT']) {
        expect(await codeOf(() => sql('query', [`SELECT 1; ${second}`]))).toBe('SQL_REFUSED');
        expect(await codeOf(() => sql('execute', [`DELETE FROM item; ${second}`]))).toBe('SQL_REFUSED');
      }
      expect(await names()).toEqual(['pen']);
      expect(await sql('query', ['SELECT 1 AS one; -- and no more'])).toEqual([{ one: 1 }]);
    });

    test('a batch does all or nothing', async () => {
      const insert = (id: number, name: string | null) => ({
        sql: `INSERT INTO item VALUES (${p(1)}, ${p(2)}, NULL)`,
        parameters: [id, name],
      });
      expect(await sql('batch', [[insert(2, 'ink'), insert(3, 'pad')]])).toEqual([1, 1]);
      expect(await codeOf(() => sql('batch', [[insert(4, 'cap'), insert(5, null)]]))).toBe('SQL_REFUSED');
      expect(await codeOf(() => sql('batch', [[insert(4, 'cap'), insert(1, 'again')]]))).toBe('SQL_REFUSED');
      expect(await names()).toEqual(['pen', 'ink', 'pad']);
    });

    test('a transaction gives what each statement gave, and is undone when its expectation fails', async () => {
      const sell = { sql: `UPDATE item SET price = 0 WHERE id = ${p(1)}`, parameters: [1], expectChanges: 1 };
      const look = { sql: 'SELECT price FROM item WHERE id = 1' };
      expect(await sql('transaction', [[sell, look]])).toEqual([
        { rows: [], changes: 1 },
        { rows: [{ price: 0 }], changes: 0 },
      ]);
      const miss = { ...sell, parameters: [77] };
      const change = { sql: 'UPDATE item SET price = 9' };
      expect(await codeOf(() => sql('transaction', [[change, miss]]))).toBe('SQL_EXPECTATION_FAILED');
      expect(await sql('query', ['SELECT price FROM item'])).toEqual([{ price: 0 }]);
    });

    test('RETURNING gives rows and counts them', async () => {
      const insert = { sql: "INSERT INTO item VALUES (2, 'ink', 1) RETURNING id", expectChanges: 1 };
      expect(await sql('transaction', [[insert]])).toEqual([{ rows: [{ id: 2 }], changes: 1 }]);
    });

    test('a query cannot write, in whatever disguise', async () => {
      const attempts = [
        'DELETE FROM item',
        "INSERT INTO item VALUES (9, 'x', 1) RETURNING id",
        'WITH gone AS (SELECT 1 AS id) DELETE FROM item WHERE id IN (SELECT id FROM gone) RETURNING id',
        '/* read */ CREATE TABLE other (id INTEGER)',
      ];
      for (const attempt of attempts) expect(await codeOf(() => sql('query', [attempt]))).toBe('SQL_REFUSED');
      expect(await codeOf(() => sql('transaction', [[{ sql: 'DELETE FROM item' }], { readOnly: true }]))).toBe(
        'SQL_REFUSED',
      );
      expect(await names()).toEqual(['pen']);
    });

    test('a call cannot end or begin a transaction, nor change the connection for others', async () => {
      for (const statement of ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT x', '/* a */ -- b\n COMMIT'])
        expect(await codeOf(() => sql('batch', [[{ sql: statement }]]))).toBe('SQL_REFUSED');
      expect(await names()).toEqual(['pen']);
    });

    test('too many rows, or too many bytes, are refused and harm nothing', async () => {
      const many = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n';
      expect(await codeOf(() => sql('query', [many]))).toBe('SQL_LIMIT_EXCEEDED');
      const long = `SELECT ${p(1)} AS text`.replace(p(1), `CAST(${p(1)} AS TEXT)`);
      expect(await codeOf(() => sql('query', [long, ['x'.repeat(200_000)]]))).toBe('SQL_LIMIT_EXCEEDED');
      expect(await names()).toEqual(['pen']);
    });

    test('a statement that takes too long is stopped, and the next call works', async () => {
      // Long enough for the next call, which may have to open a connection on a busy machine.
      await reopen({ timeoutMs: 2_000 });
      expect(await codeOf(() => sql('query', [endless]))).toBe('SQL_DEADLINE_PASSED');
      expect(await sql('query', ['SELECT 1 AS one'])).toEqual([{ one: 1 }]);
    });

    test('a call whose lease ends stops the statement', async () => {
      const controller = new AbortController();
      const running = sql('query', [endless], { signal: controller.signal });
      const others = [1, 2, 3].map((value) => sql('query', [`SELECT CAST(${p(1)} AS INTEGER) AS v`, [value]]));
      expect(await Promise.all(others)).toEqual([[{ v: 1 }], [{ v: 2 }], [{ v: 3 }]]);
      controller.abort(new Error('released'));
      await expect(running).rejects.toThrow('released');
      expect(await sql('query', ['SELECT 1 AS one'])).toEqual([{ one: 1 }]);
    });

    test('large numbers, bytes and nothing survive', async () => {
      const typed = `SELECT CAST(${p(1)} AS BIGINT) AS big, CAST(${p(2)} AS BIGINT) AS small`;
      expect(await sql('query', [typed, [2n ** 60n, 7n]])).toEqual([{ big: 2n ** 60n, small: 7 }]);
    });

    test('bad SQL and bad parameters are named', async () => {
      await expect(sql('query', ['SELEC 1'])).rejects.toThrow("'SELEC 1' was refused");
      await expect(sql('query', ['SELECT nothing FROM item'])).rejects.toThrow('nothing');
      for (const bad of [
        [],
        ['SELECT 1', 'x'],
        ['SELECT 1', [{}]],
        ['SELECT 1', [Number.NaN]],
        [''],
        ['SELECT 1\0'],
        [7],
      ])
        expect(await codeOf(() => sql('query', bad))).toBe('PARAMETER_INVALID');
      expect(await codeOf(() => sql('batch', [[]]))).toBe('PARAMETER_INVALID');
      expect(await codeOf(() => sql('batch', [[{ sql: 'SELECT 1', expectChanges: -1 }]]))).toBe('PARAMETER_INVALID');
    });

    test('a read-only database cannot be written by anything', async () => {
      await reopen({ readOnly: true });
      expect(await codeOf(() => sql('execute', ['DELETE FROM item']))).toBe('SQL_REFUSED');
      expect(await codeOf(() => sql('batch', [[{ sql: 'DELETE FROM item' }]]))).toBe('SQL_REFUSED');
      expect(await names()).toEqual(['pen']);
    });
  });
}
