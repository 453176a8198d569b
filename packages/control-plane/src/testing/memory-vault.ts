/** A vault in memory, for tests. */
import { Secret } from '@switchyard/kernel';
import { workerErrors } from '../frame/errors.ts';
import type { Vault, VaultEntry } from '../targets/vault.ts';

export class MemoryVault implements Vault {
  readonly #values = new Map<string, string | undefined>();
  readonly #onWrite: () => void;

  constructor(onWrite: () => void = () => {}) {
    this.#onWrite = onWrite;
  }

  /** Every value that is or was kept. */
  readonly seen = new Set<string>();

  async keep(entry: VaultEntry, value: Secret): Promise<Secret> {
    const known = this.#values.get(keyOf(entry));
    if (known !== undefined) return new Secret(known);
    if (this.#values.has(keyOf(entry))) {
      throw workerErrors.create('VAULT_UNREADABLE', { name: entry.name, version: entry.version });
    }
    this.#values.set(keyOf(entry), value.reveal());
    this.seen.add(value.reveal());
    this.#onWrite();
    return value;
  }

  /** Keeps a value for somebody else than the process that may die after any of its writes. */
  place(entry: VaultEntry, value: Secret): void {
    this.#values.set(keyOf(entry), value.reveal());
    this.seen.add(value.reveal());
  }

  async read(entry: VaultEntry): Promise<Secret | undefined> {
    const known = this.#values.get(keyOf(entry));
    return known === undefined ? undefined : new Secret(known);
  }

  async disable(entry: VaultEntry): Promise<void> {
    if (this.#values.get(keyOf(entry)) === undefined) return;
    this.#values.set(keyOf(entry), undefined);
    this.#onWrite();
  }
}

function keyOf({ tenantId, name, version }: VaultEntry): string {
  return JSON.stringify([tenantId, name, version]);
}
