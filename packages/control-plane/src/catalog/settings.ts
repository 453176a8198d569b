/** App settings, sealed in the file. */
import type { Secret } from '@switchyard/kernel';
import { tokenVariable } from '@switchyard/protocol';
import { settingLimits, settingNameSchema } from '@switchyard/protocol/control-api';
import type { Settings, SettingsChange, SettingsState } from './contract.ts';
import { bytesOf, integerOf, type Row, textOf } from './row.ts';
import { type CatalogParts, check, refuse, requireRevision, write } from './writer.ts';

/** `fail` makes the error for a value that does not open. */
export function createSettings(parts: CatalogParts, fail: () => Error): Settings {
  const read = (applicationId: string): SettingsState => readSettings(parts, applicationId, fail);
  const admit = (applicationId: string, change: SettingsChange) => {
    const before = read(applicationId);
    const known = parts.database.get('SELECT 1 FROM applications WHERE application_id = ?', applicationId);
    if (known === undefined) refuse('APPLICATION_UNKNOWN', { applicationId });
    requireRevision('settings', applicationId, before.revision, change.revision);
    const values = toKeyed(before.values);
    requireSound(applicationId, change, values);
    return { before, values };
  };
  return {
    get: read,
    check: (applicationId, change) =>
      check(parts, () => {
        const { before, values } = admit(applicationId, change);
        return { value: before, isSame: isSame(change, values) };
      }),
    patch: (applicationId, change) =>
      write(parts, applicationId, () => {
        const { before, values } = admit(applicationId, change);
        const count = apply(parts, applicationId, change, values);
        if (count === 0) return { value: before, changed: false };
        parts.database.run(
          'UPDATE applications SET settings_revision = settings_revision + 1 WHERE application_id = ?',
          applicationId,
        );
        return { value: read(applicationId), changed: true };
      }),
  };
}

interface Keyed {
  readonly name: string;
  readonly value: Secret;
}

function toKeyed(values: ReadonlyMap<string, Secret>): ReadonlyMap<string, Keyed> {
  return new Map([...values].map(([name, value]) => [name.toLowerCase(), { name, value }]));
}

function placeOf(applicationId: string, key: string): readonly string[] {
  return ['setting', applicationId, key];
}

function readSettings({ database, seal }: CatalogParts, applicationId: string, fail: () => Error): SettingsState {
  const row = database.get('SELECT settings_revision FROM applications WHERE application_id = ?', applicationId);
  const rows = database.all('SELECT * FROM settings WHERE application_id = ? ORDER BY name_key', applicationId);
  const open = (setting: Row): readonly [string, Secret] => {
    const value = seal.open(bytesOf(setting, 'sealed'), placeOf(applicationId, textOf(setting, 'name_key')));
    if (value === undefined) throw fail();
    return [textOf(setting, 'name'), value];
  };
  return { revision: row === undefined ? 0 : integerOf(row, 'settings_revision'), values: new Map(rows.map(open)) };
}

function requireSound(applicationId: string, change: SettingsChange, before: ReadonlyMap<string, Keyed>): void {
  const fail = (reason: string): never => refuse('SETTINGS_INVALID', { applicationId, reason });
  const seen = new Set<string>();
  for (const name of [...(change.set?.keys() ?? []), ...(change.remove ?? [])]) {
    const key = name.toLowerCase();
    if (!settingNameSchema.safeParse(name).success) {
      fail(`'${name.slice(0, 80)}' is no name: use a letter or "_", then letters, digits and "_.:-"`);
    }
    if (key === tokenVariable.toLowerCase()) fail(`'${name}' belongs to the platform; choose another name`);
    if (seen.has(key)) fail(`'${name}' stands there twice; names differ by more than their case`);
    seen.add(key);
  }
  for (const [name, value] of change.set ?? []) {
    if (value.includes('\0')) fail(`the value of '${name}' holds the character NUL, which no environment can carry`);
    if (Buffer.byteLength(value) > settingLimits.valueBytes) {
      fail(`the value of '${name}' is longer than ${settingLimits.valueBytes} bytes`);
    }
  }
  const after = new Set([...before.keys(), ...seen]);
  for (const name of change.remove ?? []) after.delete(name.toLowerCase());
  if (after.size > settingLimits.count) fail(`there would be ${after.size}, and ${settingLimits.count} are the limit`);
}

function isSame({ set, remove = [] }: SettingsChange, before: ReadonlyMap<string, Keyed>): boolean {
  const isKept = ([name, value]: readonly [string, string]): boolean => {
    const old = before.get(name.toLowerCase());
    return old?.name === name && old.value.reveal() === value;
  };
  return [...(set ?? [])].every(isKept) && !remove.some((name) => before.has(name.toLowerCase()));
}

/** Answers how many settings are others than before. */
function apply(
  { database, seal }: CatalogParts,
  applicationId: string,
  change: SettingsChange,
  before: ReadonlyMap<string, Keyed>,
): number {
  let count = 0;
  for (const [name, value] of change.set ?? []) {
    const key = name.toLowerCase();
    if (isSame({ set: new Map([[name, value]]) }, before)) continue;
    count += database.run(
      `INSERT INTO settings (application_id, name_key, name, sealed) VALUES (?, ?, ?, ?)
       ON CONFLICT (application_id, name_key) DO UPDATE SET name = excluded.name, sealed = excluded.sealed`,
      ...[applicationId, key, name, seal.seal(value, placeOf(applicationId, key))],
    );
  }
  for (const name of change.remove ?? []) {
    const sql = 'DELETE FROM settings WHERE application_id = ? AND name_key = ?';
    count += database.run(sql, applicationId, name.toLowerCase());
  }
  return count;
}
