/** Function and host keys, sealed in the file and looked up by a digest of their value in memory. */
import { createHash } from 'node:crypto';
import { Secret } from '@switchyard/kernel';
import { functionNameSchema, type KeyKind } from '@switchyard/protocol/control-api';
import type { ApplicationKey, Keys } from './contract.ts';
import { keyLimit } from './limits.ts';
import { bytesOf, integerOf, type Row, textOf } from './row.ts';
import { type CatalogParts, refuse, write } from './writer.ts';

/** The one name of a master key. */
const masterKeyName = '_master';

/** Bytes of a key that is made up. */
const keyBytes = 32;

type Level = 'function' | 'system' | 'admin';

interface Opening {
  readonly level: Level;
  /** The only function that the key opens; undefined for all. */
  readonly functionKey: string | undefined;
}

export interface KeyTable {
  readonly keys: Keys;
  /** Gives a new app its first keys, inside the transaction that makes it. */
  readonly createFirst: (applicationId: string) => void;
  /** Makes the next look-up read the keys of the app again. */
  readonly forget: (applicationId: string) => void;
}

/** `fail` makes the error for a value that does not open. */
export function createKeys(parts: CatalogParts, fail: () => Error): KeyTable {
  const openings = new Map<string, ReadonlyMap<string, readonly Opening[]>>();
  const list = (applicationId: string): readonly ApplicationKey[] => listKeys(parts, applicationId, fail);
  const openingsOf = (applicationId: string): ReadonlyMap<string, readonly Opening[]> => {
    const known = openings.get(applicationId) ?? toOpenings(list(applicationId));
    openings.set(applicationId, known);
    return known;
  };
  const keys: Keys = {
    list,
    put: (applicationId, key) =>
      write(parts, applicationId, () => ({ value: putKey(parts, applicationId, key), changed: true })),
    remove(applicationId, { kind, functionName = '', name }) {
      if (kind === 'master') return false;
      const count = parts.database.run(
        'DELETE FROM keys WHERE application_id = ? AND kind = ? AND function_key = ? AND name_key = ?',
        ...[applicationId, kind, functionName.toLowerCase(), name.toLowerCase()],
      );
      if (count > 0) parts.changes.announce(applicationId);
      return count > 0;
    },
    levels: (applicationId) => ({
      levelOf(key, functionName) {
        const wanted = functionName.toLowerCase();
        const found = openingsOf(applicationId).get(digestOf(key));
        return found?.find(({ functionKey }) => functionKey === undefined || functionKey === wanted)?.level;
      },
    }),
  };
  return {
    keys,
    createFirst(applicationId) {
      for (const [kind, name] of [
        ['master', masterKeyName],
        ['host', 'default'],
      ] as const) {
        insertKey(parts, applicationId, { kind, functionName: '', name, value: makeUp(parts) });
      }
    },
    forget: (applicationId) => {
      openings.delete(applicationId);
    },
  };
}

interface NewKey {
  readonly kind: KeyKind;
  readonly functionName: string;
  readonly name: string;
  readonly value: string;
}

function putKey(parts: CatalogParts, applicationId: string, key: Parameters<Keys['put']>[1]): ApplicationKey {
  const { kind, functionName = '', name } = key;
  const fail = (reason: string): never => refuse('KEY_INVALID', { applicationId, name: name.slice(0, 80), reason });
  const known = parts.database.get('SELECT 1 FROM applications WHERE application_id = ?', applicationId);
  if (known === undefined) refuse('APPLICATION_UNKNOWN', { applicationId });
  if (!/^[\w.-]{1,127}$/.test(name)) fail('its name must be letters, digits and "_.-", at most 127');
  if (kind === 'master' && name !== masterKeyName) fail(`the master key is named '${masterKeyName}'`);
  if ((kind === 'function') !== (functionName !== '')) fail('keys of the kind function have a function, and only they');
  if (functionName !== '' && !functionNameSchema.safeParse(functionName).success)
    fail('its function has no legal name');
  if (key.value !== undefined && !/^[\x21-\x7e]{8,512}$/.test(key.value)) {
    fail('its value must be 8 to 512 visible ASCII characters');
  }
  const value = key.value ?? makeUp(parts);
  insertKey(parts, applicationId, { kind, functionName, name, value });
  const row = parts.database.get('SELECT COUNT(*) AS count FROM keys WHERE application_id = ?', applicationId);
  if (row !== undefined && integerOf(row, 'count') > keyLimit) fail(`there are ${keyLimit} keys already`);
  return { kind, ...(functionName === '' ? {} : { functionName }), name, value: new Secret(value) };
}

function insertKey({ database, seal }: CatalogParts, applicationId: string, key: NewKey): void {
  const { kind, functionName, name, value } = key;
  const [functionKey, nameKey] = [functionName.toLowerCase(), name.toLowerCase()];
  database.run(
    `INSERT INTO keys (application_id, kind, function_key, name_key, function_name, name, sealed)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (application_id, kind, function_key, name_key)
     DO UPDATE SET function_name = excluded.function_name, name = excluded.name, sealed = excluded.sealed`,
    ...[applicationId, kind, functionKey, nameKey, functionName, name],
    seal.seal(value, placeOf(applicationId, kind, functionKey, nameKey)),
  );
}

function listKeys(
  { database, seal }: CatalogParts,
  applicationId: string,
  fail: () => Error,
): readonly ApplicationKey[] {
  const read = (row: Row): ApplicationKey => {
    const [kind, functionName, name] = [textOf(row, 'kind'), textOf(row, 'function_name'), textOf(row, 'name')];
    const place = placeOf(applicationId, kind, textOf(row, 'function_key'), textOf(row, 'name_key'));
    const value: Secret | undefined = seal.open(bytesOf(row, 'sealed'), place);
    if (value === undefined) throw fail();
    return { kind: kind as KeyKind, ...(functionName === '' ? {} : { functionName }), name, value };
  };
  return database
    .all('SELECT * FROM keys WHERE application_id = ? ORDER BY kind, function_key, name_key', applicationId)
    .map(read);
}

function toOpenings(keys: readonly ApplicationKey[]): ReadonlyMap<string, readonly Opening[]> {
  const levels: Readonly<Record<KeyKind, Level>> = {
    master: 'admin',
    system: 'system',
    host: 'function',
    function: 'function',
  };
  // The highest level first, should two keys have the same value.
  const ranks: readonly KeyKind[] = ['master', 'system', 'host', 'function'];
  const openings = new Map<string, Opening[]>();
  for (const kind of ranks) {
    for (const key of keys.filter((one) => one.kind === kind)) {
      const digest = digestOf(key.value.reveal());
      const opening = { level: levels[kind], functionKey: key.functionName?.toLowerCase() };
      openings.set(digest, [...(openings.get(digest) ?? []), opening]);
    }
  }
  return openings;
}

function makeUp({ random }: CatalogParts): string {
  return Buffer.from(random.bytes(keyBytes)).toString('base64url');
}

/** Comparing digests tells nothing of a key by how long it takes. */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}

function placeOf(applicationId: string, kind: string, functionKey: string, nameKey: string): readonly string[] {
  return ['key', applicationId, kind, functionKey, nameKey];
}
