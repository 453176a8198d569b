/** The keys of one app as plain data, and what can be done with them. */
import { isJsonObject } from '@switchyard/model';
import type { KeyScope, NamedKey } from '@switchyard/runtime';
import type { KeyGrant } from './key-ring.ts';

/** Values by name. */
export type KeySet = Readonly<Record<string, string>>;

export interface AppKeys {
  readonly master: string;
  /** These open every function. */
  readonly host: KeySet;
  /** These open the webhooks of extensions, and functions of the level `system`. */
  readonly system: KeySet;
  readonly functions: Readonly<Record<string, KeySet>>;
}

/** The name of the key that is made without being asked for. */
export const defaultKeyName = 'default';

/** The official name of the master key. */
export const masterKeyName = 'master';

/** Keys of an app that has none yet. */
export function createAppKeys(generate: () => string): AppKeys {
  return { master: generate(), host: { [defaultKeyName]: generate() }, system: {}, functions: {} };
}

/** The keys with a default one for each function that has none; the same object when nothing is missing. */
export function withFunctions(keys: AppKeys, functionNames: readonly string[], generate: () => string): AppKeys {
  const missing = functionNames.filter((name) => !Object.hasOwn(keys.functions, name));
  if (missing.length === 0) return keys;
  const made = missing.map((name): [string, KeySet] => [name, { [defaultKeyName]: generate() }]);
  return { ...keys, functions: Object.fromEntries([...Object.entries(keys.functions), ...made]) };
}

/** In order of name. */
export function listKeys(keys: AppKeys, scope: KeyScope): readonly NamedKey[] {
  if (scope.kind === 'master') return [{ name: masterKeyName, value: keys.master }];
  const entries = Object.entries(keySetOf(keys, scope)).sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.map(([name, value]) => ({ name, value }));
}

/** The keys with one of them made or changed. Names are compared without regard to case; the first spelling stays. */
export function withKey(
  keys: AppKeys,
  scope: KeyScope,
  name: string,
  value: string,
): { readonly keys: AppKeys; readonly key: NamedKey; readonly isNew: boolean } {
  if (scope.kind === 'master') {
    return { keys: { ...keys, master: value }, key: { name: masterKeyName, value }, isNew: false };
  }
  const set = keySetOf(keys, scope);
  const known = spellingIn(set, name);
  const changed = Object.fromEntries([...Object.entries(set), [known ?? name, value]]);
  return {
    keys: withKeySet(keys, scope, changed),
    key: { name: known ?? name, value },
    isNew: known === undefined,
  };
}

/** The keys without one of them; undefined when it was not there. */
export function withoutKey(keys: AppKeys, scope: KeyScope, name: string): AppKeys | undefined {
  if (scope.kind === 'master') return undefined;
  const set = keySetOf(keys, scope);
  const known = spellingIn(set, name);
  if (known === undefined) return undefined;
  return withKeySet(keys, scope, Object.fromEntries(Object.entries(set).filter(([other]) => other !== known)));
}

/** What each key opens. */
export function grantsOf(keys: AppKeys): readonly KeyGrant[] {
  const grants = (set: KeySet, level: KeyGrant['level'], functionName?: string): KeyGrant[] =>
    Object.entries(set).map(([name, key]) => ({ key, level, name, functionName }));
  return [
    { key: keys.master, level: 'admin', name: masterKeyName },
    ...grants(keys.host, 'function'),
    ...grants(keys.system, 'system'),
    ...Object.entries(keys.functions).flatMap(([name, own]) => grants(own, 'function', name)),
  ];
}

/** Reads what was written as JSON; undefined when it is something else. Files of before have no system keys. */
export function parseAppKeys(value: unknown): AppKeys | undefined {
  if (!isJsonObject(value) || typeof value.master !== 'string' || value.master === '') return undefined;
  const { master, host, system = {}, functions } = value;
  if (!isKeySet(host) || !isKeySet(system) || !isJsonObject(functions)) return undefined;
  if (!Object.values(functions).every(isKeySet)) return undefined;
  return { master, host, system, functions: functions as Record<string, KeySet> };
}

function isKeySet(value: unknown): value is KeySet {
  return isJsonObject(value) && Object.values(value).every((key) => typeof key === 'string' && key !== '');
}

function keySetOf(keys: AppKeys, scope: Exclude<KeyScope, { kind: 'master' }>): KeySet {
  if (scope.kind === 'host') return keys.host;
  if (scope.kind === 'system') return keys.system;
  const name = spellingIn(keys.functions, scope.functionName);
  return (name === undefined ? undefined : keys.functions[name]) ?? {};
}

function withKeySet(keys: AppKeys, scope: Exclude<KeyScope, { kind: 'master' }>, set: KeySet): AppKeys {
  if (scope.kind === 'host') return { ...keys, host: set };
  if (scope.kind === 'system') return { ...keys, system: set };
  const name = spellingIn(keys.functions, scope.functionName) ?? scope.functionName;
  return { ...keys, functions: Object.fromEntries([...Object.entries(keys.functions), [name, set]]) };
}

function spellingIn(record: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return Object.keys(record).find((other) => other.toLowerCase() === name.toLowerCase());
}
