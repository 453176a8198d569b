import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { keepDatabaseBusy, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CatalogDatabase, openCatalogDatabase } from './database.ts';

const first = { version: 1, sql: 'CREATE TABLE things (name TEXT PRIMARY KEY) STRICT' };
const second = { version: 2, sql: 'ALTER TABLE things ADD COLUMN size INTEGER' };
const broken = { version: 2, sql: 'ALTER TABLE things ADD COLUMN size INTEGER; INSERT INTO nowhere VALUES (1)' };

describe('openCatalogDatabase', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'switchyard-database-'));
    file = join(directory, 'data', 'catalog.db');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (...migrations: readonly (typeof first)[]): CatalogDatabase =>
    openCatalogDatabase({ clock: new VirtualClock() }, file, migrations);

  it('makes the file for its owner alone, in WAL mode', () => {
    const database = open(first);
    expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    database.close();
  });

  it('waits for another process that makes it at the same moment', async () => {
    mkdirSync(join(directory, 'data'));
    const busy = await keepDatabaseBusy(file);
    busy.releaseAfter(100);
    const database = open(first);
    expect(database.get('SELECT MAX(version) AS format FROM migrations')).toEqual({ format: 1 });
    database.close();
    await busy.end();
  });

  it('I1: a transaction that throws leaves nothing, and the next one works', () => {
    const database = open(first);
    const insert = (name: string): number => database.run('INSERT INTO things VALUES (?)', name);
    expect(() =>
      database.transaction(() => {
        insert('a');
        database.transaction(() => insert('b'));
        throw new Error('no');
      }),
    ).toThrow('no');
    database.transaction(() => insert('c'));
    expect(database.all('SELECT name FROM things')).toEqual([{ name: 'c' }]);
    database.close();
  });

  it('I4: says so when there is no room on the disk, and goes on when there is some', () => {
    const database = open(first);
    const long = 'n'.repeat(100_000);
    const add = (name: string) => database.transaction(() => database.run('INSERT INTO things VALUES (?)', name));
    const [{ page_count: pages } = {}] = database.all('PRAGMA page_count');
    database.execute(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    expect(() => add(long)).toThrow(
      expect.objectContaining({ code: 'CATALOG_UNAVAILABLE', message: expect.stringContaining('disk is full') }),
    );
    expect(database.all('SELECT name FROM things')).toEqual([]);
    database.execute('PRAGMA max_page_count = 1000');
    expect(add(long)).toBe(1);
    database.close();
  });

  it('I2: refuses what is no catalog and leaves it as it was', () => {
    open(first).close();
    writeFileSync(file, 'not a database, but long enough to look at'.repeat(40));
    const before = readFileSync(file);
    expect(() => open(first)).toThrow(expect.objectContaining({ code: 'CATALOG_UNREADABLE' }));
    expect(readFileSync(file)).toEqual(before);
  });

  it('I2: refuses the database of something else', () => {
    open(first).close();
    rmSync(file);
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE songs (name TEXT)');
    other.close();
    expect(() => open(first)).toThrow(/something else/);
  });

  it('I2: refuses a newer catalog and leaves it as it was', () => {
    open(first, second).close();
    const before = readFileSync(file);
    expect(() => open(first)).toThrow(/its format is 2, and this one knows up to 1/);
    expect(readFileSync(file)).toEqual(before);
  });

  it('I3: runs each migration once, in order', () => {
    open(first).close();
    open(first, second).close();
    const database = open(first, second);
    database.run('INSERT INTO things VALUES (?, ?)', 'a', 1);
    expect(database.all('SELECT version FROM migrations')).toEqual([{ version: 1 }, { version: 2 }]);
    database.close();
  });

  it('I3: a migration that fails changes nothing', () => {
    open(first).close();
    expect(() => open(first, broken)).toThrow(expect.objectContaining({ code: 'CATALOG_UNREADABLE' }));
    const database = open(first);
    expect(database.all('SELECT version FROM migrations')).toEqual([{ version: 1 }]);
    expect(database.run('INSERT INTO things VALUES (?)', 'a')).toBe(1);
    database.close();
  });
});
