/**
 * The keys of the apps of one process: asked by the gateway, looked after by administrators.
 *
 * Purpose: what is missing is made when it is first asked for, and what changes holds for callers at once.
 * Ownership: one object per vault; it alone writes there.
 *
 * I1 A key that was made once stays the same over restarts, until somebody changes it.
 * I2 An app's keys open nothing of another app.
 * I3 A change holds for callers as soon as it is written, and not before.
 * I4 Changes of one app follow one another, whoever asks for them.
 */
import type { Random } from '@switchyard/kernel';
import type { FunctionKeys, KeyStore } from '@switchyard/runtime';
import { type AppKeys, createAppKeys, grantsOf, listKeys, withFunctions, withKey, withoutKey } from './app-keys.ts';
import { generateKey } from './generate-key.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import type { KeyVault } from './key-vaults.ts';

/** One app's keys, as they are now. */
interface Held {
  keys: AppKeys;
  readonly ring: KeyRing;
  /** The last change that was asked for. */
  changing: Promise<unknown>;
}

export class AppKeyStores {
  /** Where the keys are, for people. */
  readonly place: string;
  readonly #vault: KeyVault;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #apps = new Map<string, Promise<Held>>();

  constructor(vault: KeyVault, random: Pick<Random, 'bytes'>) {
    this.place = vault.place;
    this.#vault = vault;
    this.#random = random;
  }

  /** What the gateway asks; master and default host key are made when there are none yet. */
  async keysOf(applicationId: string): Promise<FunctionKeys> {
    return (await this.#held(applicationId)).ring;
  }

  /** Makes a default key for each function that has none. */
  async addFunctions(applicationId: string, functionNames: readonly string[]): Promise<void> {
    await this.#change(applicationId, (keys) => ({
      keys: withFunctions(keys, functionNames, this.#generate),
      result: undefined,
    }));
  }

  /** What administrators work with. */
  storeOf(applicationId: string): KeyStore {
    return {
      list: async (scope) => listKeys((await this.#held(applicationId)).keys, scope),
      set: (scope, name, value) =>
        this.#change(applicationId, (before) => {
          const { keys, key, isNew } = withKey(before, scope, name, value ?? this.#generate());
          return { keys, result: { key, isNew } };
        }),
      ensure: (scope, name) =>
        this.#change(applicationId, (before) => {
          const known = listKeys(before, scope).find((key) => key.name.toLowerCase() === name.toLowerCase());
          if (known !== undefined) return { keys: before, result: known };
          const { keys, key } = withKey(before, scope, name, this.#generate());
          return { keys, result: key };
        }),
      remove: (scope, name) =>
        this.#change(applicationId, (before) => {
          const keys = withoutKey(before, scope, name);
          return { keys: keys ?? before, result: keys !== undefined };
        }),
    };
  }

  readonly #generate = (): string => generateKey(this.#random);

  #held(applicationId: string): Promise<Held> {
    const known = this.#apps.get(applicationId) ?? this.#load(applicationId);
    this.#apps.set(applicationId, known);
    known.catch(() => {
      if (this.#apps.get(applicationId) === known) this.#apps.delete(applicationId);
    });
    return known;
  }

  async #load(applicationId: string): Promise<Held> {
    const found = await this.#vault.read(applicationId);
    const keys = found === undefined || found.master === '' ? this.#complete(found) : found;
    if (keys !== found) await this.#vault.write(applicationId, keys);
    return { keys, ring: createKeyRing(grantsOf(keys)), changing: Promise.resolve() };
  }

  /** Keys that somebody else wrote without a master key get one. */
  #complete(found: AppKeys | undefined): AppKeys {
    const made = createAppKeys(this.#generate);
    return found === undefined ? made : { ...found, master: made.master };
  }

  async #change<T>(
    applicationId: string,
    change: (keys: AppKeys) => { readonly keys: AppKeys; readonly result: T },
  ): Promise<T> {
    const held = await this.#held(applicationId);
    const changed = held.changing.then(async () => {
      const { keys, result } = change(held.keys);
      if (keys !== held.keys) {
        await this.#vault.write(applicationId, keys);
        held.keys = keys;
        held.ring.replace(grantsOf(keys));
      }
      return result;
    });
    held.changing = changed.catch(() => {});
    return changed;
  }
}
