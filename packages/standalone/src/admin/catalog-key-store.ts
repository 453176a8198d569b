import type { ApplicationKey, Keys } from '@switchyard/control-plane';
import type { FunctionKeys, KeyScope, KeyStore, NamedKey } from '@switchyard/runtime';

/** The keys of a deployed app, for the admin API: the catalog keeps them, sealed, and what changes holds at once. */
export function createCatalogKeyStore(keys: Pick<Keys, 'list' | 'put' | 'remove'>, applicationId: string): KeyStore {
  const find = (scope: KeyScope): readonly ApplicationKey[] =>
    keys.list(applicationId).filter((key) => isOf(key, scope));
  return {
    list: async (scope) => find(scope).map(toNamed),
    async set(scope, name, value) {
      const [own] = scope.kind === 'master' ? find(scope) : [];
      // The catalog has a name of its own for the master key.
      const wanted = own?.name ?? name;
      const isNew = !find(scope).some((key) => isSame(key.name, wanted));
      const given = value === undefined ? {} : { value };
      const outcome = keys.put(applicationId, { ...placeOf(scope), name: wanted, ...given });
      if (outcome.kind === 'refused') throw outcome.error;
      return { key: toNamed(outcome.value), isNew };
    },
    // Nothing is awaited between the look and the change.
    async ensure(scope, name) {
      const known = find(scope).find((key) => isSame(key.name, name));
      if (known !== undefined) return toNamed(known);
      const outcome = keys.put(applicationId, { ...placeOf(scope), name });
      if (outcome.kind === 'refused') throw outcome.error;
      return toNamed(outcome.value);
    },
    remove: async (scope, name) => keys.remove(applicationId, { ...placeOf(scope), name }),
  };
}

/** What the Runtime gets of an app's keys: whom they let in, and how administrators look after them. */
export function catalogKeys(
  keys: Keys,
  applicationId: string,
): { readonly keys: FunctionKeys; readonly keyStore: KeyStore } {
  return { keys: keys.levels(applicationId), keyStore: createCatalogKeyStore(keys, applicationId) };
}

function placeOf(scope: KeyScope): Pick<ApplicationKey, 'kind' | 'functionName'> {
  return scope.kind === 'function' ? { kind: scope.kind, functionName: scope.functionName } : { kind: scope.kind };
}

function isOf({ kind, functionName = '' }: ApplicationKey, scope: KeyScope): boolean {
  return kind === scope.kind && (scope.kind !== 'function' || isSame(functionName, scope.functionName));
}

function toNamed({ name, value }: ApplicationKey): NamedKey {
  return { name, value: value.reveal() };
}

function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
