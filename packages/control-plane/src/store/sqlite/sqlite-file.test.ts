import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { integerOf } from './row.ts';
import { openSqliteFile, type SqliteFile, type SqliteMigration } from './sqlite-file.ts';

const first: SqliteMigration = { version: 1, sql: 'CREATE TABLE t (n INTEGER PRIMARY KEY, body TEXT) STRICT' };
const second: SqliteMigration = { version: 2, sql: 'ALTER TABLE t ADD COLUMN extra INTEGER' };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-file-'));
  file = join(folder, 'some.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(migrations: readonly SqliteMigration[] = [first], path = file): SqliteFile {
  return openSqliteFile({ file: path, applicationId: 0x1234, migrations });
}

function insert(database: SqliteFile, n: number, body = 'x'): Promise<number> {
  return database.write(() => database.run('INSERT INTO t (n, body) VALUES (?, ?)', n, body));
}

function numbers(database: SqliteFile): number[] {
  return database.read(() => database.all('SELECT n FROM t ORDER BY n')).map((row) => integerOf(row, 'n'));
}

describe('SqliteFile', () => {
  it('I1: work of one turn is one batch; when a part fails all of it is undone and told, and the next goes on', async () => {
    const database = open();
    const outcomes = await Promise.allSettled([
      insert(database, 1),
      insert(database, 2),
      insert(database, 1),
      insert(database, 3),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(String((outcomes[0] as PromiseRejectedResult).reason)).toMatch(/did not do what was asked: UNIQUE/);
    expect(numbers(database)).toEqual([]);
    await insert(database, 4);
    expect(numbers(database)).toEqual([4]);
    database.close();
  });

  it('I2: what resolved is in the files, and survives when the process ends in the middle', async () => {
    const database = open();
    for (let n = 1; n <= 50; n += 1) await insert(database, n);
    // The files as a killed process leaves them: nothing was closed.
    const copy = join(folder, 'copy.db');
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    const again = open([first], copy);
    expect(numbers(again)).toHaveLength(50);
    again.close();
    database.close();
  });

  it('I1, I2: a log cut anywhere behind what was acknowledged loses none of it, and no half of the rest', async () => {
    const database = open();
    for (let n = 1; n <= 10; n += 1) await insert(database, n);
    const acknowledgedBytes = statSync(`${file}-wal`).size;
    await Promise.all(Array.from({ length: 300 }, (_, index) => insert(database, 100 + index, 'y'.repeat(200))));
    const wholeBytes = statSync(`${file}-wal`).size;
    const copy = join(folder, 'copy.db');
    for (let cut = acknowledgedBytes; cut <= wholeBytes; cut += 1_777) {
      copyFileSync(file, copy);
      copyFileSync(`${file}-wal`, `${copy}-wal`);
      truncateSync(`${copy}-wal`, cut);
      const again = open([first], copy);
      expect([10, 310], `cut at ${cut}`).toContain(numbers(again).length);
      again.close();
      rmSync(copy);
    }
    database.close();
  });

  it('I3: a file that was cut is refused wherever it was cut, with an error that says so, and not touched', async () => {
    const database = open();
    await Promise.all(Array.from({ length: 400 }, (_, index) => insert(database, index, 'y'.repeat(300))));
    database.close();
    const whole = readFileSync(file);
    expect(whole.length).toBeGreaterThan(100_000);
    for (const keep of [0, 1, 50, 99, 100, 512, 4_095, 4_096, 4_097, 50_000, whole.length - 4_096, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, keep));
      expect(() => open(), `cut to ${keep} bytes`).toThrow(/The database '.*some\.db' is damaged: .*\n.*backup/);
      expect(readFileSync(file)).toHaveLength(keep);
    }
    writeFileSync(file, whole);
    const again = open();
    expect(numbers(again)).toHaveLength(400);
    again.close();
  });

  it('I3: a file whose pages were overwritten is refused', async () => {
    const database = open();
    await Promise.all(Array.from({ length: 400 }, (_, index) => insert(database, index, 'y'.repeat(300))));
    database.close();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 8_192, 40_000);
    writeFileSync(file, bytes);
    expect(() => open()).toThrow(/is damaged/);
  });

  it('I3: something else is refused, and left as it was', () => {
    writeFileSync(file, 'a text of somebody');
    expect(() => open()).toThrow(/is no database of this kind: it does not begin as a SQLite file does/);
    expect(readFileSync(file, 'utf8')).toBe('a text of somebody');
    rmSync(file);
    openSqliteFile({ file, applicationId: 0x9999, migrations: [first] }).close();
    expect(() => open()).toThrow(/is no database of this kind: it holds the tables of something else/);
  });

  it('I3: a newer file is refused', () => {
    open([first, second]).close();
    expect(() => open([first])).toThrow(/its format is 2, and this one knows up to 1/);
  });

  it('I4: each migration runs once, in its order', async () => {
    const old = open([first]);
    await insert(old, 1);
    old.close();
    for (let times = 0; times < 2; times += 1) {
      const database = open([first, second]);
      expect(database.read(() => database.get('SELECT extra FROM t'))).toEqual({ extra: null });
      database.close();
    }
  });

  it('I4: a migration that fails leaves the file as it was', async () => {
    const old = open([first]);
    await insert(old, 1);
    old.close();
    const broken = { version: 2, sql: 'ALTER TABLE t ADD COLUMN half INTEGER; CREATE NONSENSE' };
    expect(() => open([first, broken])).toThrow(/did not do what was asked: .*syntax error/);
    const again = open([first]);
    expect(numbers(again)).toEqual([1]);
    expect(() => again.read(() => again.all('SELECT half FROM t'))).toThrow(/no such column/);
    again.close();
  });

  it('is refused for good once it is closed; what was asked for before is done', async () => {
    const database = open();
    const before = insert(database, 1);
    database.close();
    await before;
    await expect(insert(database, 2)).rejects.toThrow(/The store is closed/);
    expect(() => numbers(database)).toThrow(/The store is closed/);
    const again = open();
    expect(numbers(again)).toEqual([1]);
    again.close();
  });
});
