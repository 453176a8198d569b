/**
 * The store in a file of SQLite, which several processes may open at once.
 *
 * Ownership: the composition root opens and closes it.
 *
 * I1 A write happens only at the expected revision, and of two that expect the same one wins, whatever process they are in.
 * I2 Revisions grow over the whole store and are never used again.
 * I3 What was written is there after a restart.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { enterWalMode, messageOf } from '@switchyard/kernel';
import { scaleErrors } from '../errors.ts';
import type { DocumentKind, ScaleDocument, ScaleStore, WriteOutcome } from './contract.ts';
import { toDocumentText } from './document-text.ts';

/** How long a write waits for another process. */
const lockTimeoutMs = 5_000;

const schema = `
  CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sequence (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO sequence (only, last) VALUES (1, 0);
`;

/**
 * Opens the file, or makes it. `:memory:` keeps nothing.
 * @throws PlatformError SCALE_STORE_UNREADABLE
 */
export function openSqliteStore(file: string): ScaleStore {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(file, { timeout: lockTimeoutMs });
    enterWalMode(database, lockTimeoutMs);
    database.exec(`PRAGMA synchronous = NORMAL; ${schema}`);
    return new SqliteStore(database);
  } catch (thrown) {
    throw scaleErrors.create('SCALE_STORE_UNREADABLE', { file, reason: messageOf(thrown) }, thrown);
  }
}

class SqliteStore implements ScaleStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async read(kind: DocumentKind, key: string): Promise<ScaleDocument | undefined> {
    return this.#read(kind, key);
  }

  async list(kind: DocumentKind): Promise<readonly ScaleDocument[]> {
    const rows = this.#database
      .prepare('SELECT key, revision, body FROM documents WHERE kind = ? ORDER BY key')
      .all(kind);
    return rows.map(toDocument);
  }

  async write(kind: DocumentKind, key: string, body: unknown, expected: number): Promise<WriteOutcome> {
    const text = toDocumentText(kind, key, body);
    return this.#transaction(() => {
      const present = this.#read(kind, key);
      if ((present?.revision ?? 0) !== expected) return { kind: 'conflict', present };
      const revision = this.#nextRevision();
      this.#database
        .prepare('INSERT OR REPLACE INTO documents (kind, key, revision, body) VALUES (?, ?, ?, ?)')
        .run(kind, key, revision, text);
      return { kind: 'written', revision };
    });
  }

  async remove(kind: DocumentKind, key: string, expected: number): Promise<boolean> {
    const { changes } = this.#database
      .prepare('DELETE FROM documents WHERE kind = ? AND key = ? AND revision = ?')
      .run(kind, key, expected);
    return Number(changes) > 0;
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #read(kind: DocumentKind, key: string): ScaleDocument | undefined {
    const row = this.#database
      .prepare('SELECT key, revision, body FROM documents WHERE kind = ? AND key = ?')
      .get(kind, key);
    return row === undefined ? undefined : toDocument(row);
  }

  #nextRevision(): number {
    const row = this.#database.prepare('UPDATE sequence SET last = last + 1 RETURNING last').get();
    return Number(row?.last);
  }

  /** Takes the lock for writing at once, so that what is read inside stays true until the end. */
  #transaction<Value>(work: () => Value): Value {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#database.exec('COMMIT');
      return value;
    } catch (thrown) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw thrown;
    }
  }
}

function toDocument(row: Record<string, unknown>): ScaleDocument {
  return { key: String(row.key), revision: Number(row.revision), body: JSON.parse(String(row.body)) };
}
