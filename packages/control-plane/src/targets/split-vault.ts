import type { Vault, VaultEntry } from './vault.ts';

/** What passes through on its way to a service: names of secret bindings hold no slash. */
const passingPrefix = 'settings/';

/** Secrets of bindings in one vault; what is there for a moment alone stays in the embedded one. */
export function createSplitVault({ bindings, passing }: { readonly bindings: Vault; readonly passing: Vault }): Vault {
  const of = ({ name }: VaultEntry): Vault => (name.startsWith(passingPrefix) ? passing : bindings);
  return {
    keep: (entry, value) => of(entry).keep(entry, value),
    read: (entry) => of(entry).read(entry),
    disable: (entry) => of(entry).disable(entry),
  };
}
