import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { keepDatabaseBusy } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enterWalMode } from './write-ahead-log.ts';

describe('enterWalMode', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-wal-'));
    file = join(folder, 'shared.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('waits for whoever writes to the file at that moment', async () => {
    const busy = await keepDatabaseBusy(file);
    const database = new DatabaseSync(file);
    expect(() => database.exec('PRAGMA journal_mode = WAL')).toThrow('database is locked');
    busy.releaseAfter(100);
    enterWalMode(database);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
    await busy.end();
  });

  it('gives up in the end', async () => {
    const busy = await keepDatabaseBusy(file);
    const database = new DatabaseSync(file);
    expect(() => enterWalMode(database, 20)).toThrow('database is locked');
    database.close();
    await busy.end();
  });

  it('throws at once what no wait would mend', () => {
    const database = new DatabaseSync(file);
    database.close();
    expect(() => enterWalMode(database)).toThrow('not open');
  });
});
