/**
 * The named keys of all accounts of one shard, in SQLite.
 *
 * Ownership: the crypto capability owns it and closes it. Material leaves it only as a key version for the operations
 * beside it; no method of the capability hands it on.
 *
 * I1 An account finds its own keys only.
 * I2 Material is stored encrypted under the master key, bound to account, name and version: a row that was changed or
 *    moved to another account is refused.
 * I3 Making a key that exists with the same kind changes nothing; with another kind it fails.
 * I4 Rotation adds a version, which is used from then on; older versions stay readable until they are retired.
 * I5 The version in use cannot be retired.
 */
import { DatabaseSync } from 'node:sqlite';
import { type Clock, enterWalMode, type Random } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';
import { createMaterial, decrypt, encrypt, type KeyKind } from './key-material.ts';

/** How many keys an account may have, and versions a key. */
export const maxKeysPerAccount = 1_000;
export const maxVersionsPerKey = 100;

/** What callers learn of a key. */
export interface KeyDescription {
  readonly name: string;
  readonly kind: KeyKind;
  /** The version in use. */
  readonly version: number;
  /** All versions that still open and verify, oldest first. */
  readonly versions: readonly number[];
  /** When the version in use was made, in epoch milliseconds. */
  readonly rotatedAtMs: number;
}

/** One version of a key, for use inside this capability. */
export interface KeyVersion {
  readonly version: number;
  readonly material: Uint8Array;
}

interface Row {
  readonly name: string;
  readonly kind: KeyKind;
  readonly version: number;
  readonly material: Uint8Array;
  readonly createdAtMs: number;
}

export interface KeyStoreDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface KeyStoreOptions {
  /** The file; `:memory:` forgets everything at the end. */
  readonly path: string;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
}

const schema = `
  CREATE TABLE IF NOT EXISTS crypto_keys (
    account TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL,
    material BLOB NOT NULL, created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, name, version)
  ) WITHOUT ROWID`;

const columns = 'name, kind, version, material, created_at_ms AS createdAtMs';

export class KeyStore {
  readonly #deps: KeyStoreDeps;
  readonly #database: DatabaseSync;
  readonly #masterKey: Uint8Array;

  constructor(deps: KeyStoreDeps, { path, masterKey }: KeyStoreOptions) {
    this.#deps = deps;
    this.#masterKey = masterKey;
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
    if (path !== ':memory:') enterWalMode(this.#database);
    this.#database.exec(schema);
  }

  create(account: string, name: string, kind: KeyKind): void {
    const newest = this.#rows(account, name).at(-1);
    if (newest !== undefined) {
      if (newest.kind !== kind) this.#unfit(name, `it exists already, for '${newest.kind}' and not for '${kind}'`);
      return;
    }
    if (this.list(account).length >= maxKeysPerAccount)
      this.#unfit(name, `the account has ${maxKeysPerAccount} keys already, which is the limit`);
    this.#add(account, name, kind, 1);
  }

  /** Adds a version and returns its number. */
  rotate(account: string, name: string): number {
    const rows = this.#existing(account, name);
    const newest = rows.at(-1);
    if (newest === undefined) return this.#unknown(name);
    if (rows.length >= maxVersionsPerKey)
      this.#unfit(name, `it has ${maxVersionsPerKey} versions; retire the oldest first`);
    this.#add(account, name, newest.kind, newest.version + 1);
    return newest.version + 1;
  }

  /** Forgets a version: what it sealed or signed is lost to this store. */
  retire(account: string, name: string, version: number): void {
    const rows = this.#existing(account, name);
    if (rows.at(-1)?.version === version) this.#unfit(name, `version ${version} is the one in use; rotate first`);
    const { changes } = this.#database
      .prepare('DELETE FROM crypto_keys WHERE account = ? AND name = ? AND version = ?')
      .run(account, name, version);
    if (Number(changes) === 0) this.#unknown(name, version);
  }

  list(account: string): KeyDescription[] {
    const rows = this.#database
      .prepare(`SELECT ${columns} FROM crypto_keys WHERE account = ? ORDER BY name, version`)
      .all(account) as unknown as Row[];
    const byName = Map.groupBy(rows, (row) => row.name);
    return [...byName].flatMap(([name, versions]) => {
      const newest = versions.at(-1);
      if (newest === undefined) return [];
      const { kind, version, createdAtMs } = newest;
      return [{ name, kind, version, versions: versions.map((row) => row.version), rotatedAtMs: createdAtMs }];
    });
  }

  /** The version in use. */
  current(account: string, name: string, kind: KeyKind): KeyVersion {
    return this.versions(account, name, kind)[0] ?? this.#unknown(name);
  }

  /** All versions, newest first. */
  versions(account: string, name: string, kind: KeyKind): KeyVersion[] {
    const rows = this.#existing(account, name);
    const other = rows.find((row) => row.kind !== kind);
    if (other !== undefined) this.#unfit(name, `it is for '${other.kind}' and not for '${kind}'`);
    return rows.reverse().map((row) => ({ version: row.version, material: this.#open(account, row) }));
  }

  close(): void {
    this.#database.close();
    this.#masterKey.fill(0);
  }

  #rows(account: string, name: string): Row[] {
    return this.#database
      .prepare(`SELECT ${columns} FROM crypto_keys WHERE account = ? AND name = ? ORDER BY version`)
      .all(account, name) as unknown as Row[];
  }

  #existing(account: string, name: string): Row[] {
    const rows = this.#rows(account, name);
    return rows.length === 0 ? this.#unknown(name) : rows;
  }

  #add(account: string, name: string, kind: KeyKind, version: number): void {
    const { clock, random } = this.#deps;
    const place = placeOf(account, name, version, kind);
    const material = encrypt(this.#masterKey, createMaterial(kind, random), place, random);
    this.#database
      .prepare(
        'INSERT INTO crypto_keys (account, name, version, kind, material, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(account, name, version, kind, material, clock.now());
  }

  #open(account: string, { name, version, kind, material }: Row): Uint8Array {
    const opened = decrypt(this.#masterKey, material, placeOf(account, name, version, kind));
    if (opened === undefined) this.#unfit(name, 'the master key is another one, or its row was changed');
    return opened;
  }

  #unknown(key: string, version?: number): never {
    throw libraryErrors.create('KEY_UNKNOWN', { key, version: version === undefined ? '' : ` in version ${version}` });
  }

  #unfit(key: string, reason: string): never {
    throw libraryErrors.create('KEY_UNFIT', { key, reason });
  }
}

/** Binds encrypted material to its row. */
function placeOf(account: string, name: string, version: number, kind: KeyKind): Uint8Array {
  return Buffer.from(JSON.stringify([account, name, version, kind]));
}
