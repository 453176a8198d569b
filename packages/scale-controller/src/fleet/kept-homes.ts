/**
 * On which Runtimes each app is, kept in the store of the controllers, so that a restart of a controller, or another one that takes
 * over, leaves apps where they are.
 *
 * Ownership: the controller owns it. What is noted here is written in the background.
 *
 * I1 Of an app the latest note is written, one write at a time; what cannot be written is tried again after `retryMs`.
 * I2 Only the controller that decides writes; what it has noted before is written once it decides.
 * I3 A controller that finds that another one has written since takes that for true, and does not write its own note over it.
 * I4 After `freeze` nothing more is written: what Runtimes do while everything ends is no decision.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import { z } from 'zod';
import type { ScaleStore } from '../store/contract.ts';

export interface KeptHomes {
  /** The Runtimes that an app was on, its home first; none when nobody knows. */
  of(applicationId: string): readonly string[];
  /** From now on it is on these. */
  note(applicationId: string, runtimeIds: readonly string[]): void;
  /** The app is gone. */
  forget(applicationId: string): Promise<void>;
  /** Resolves when everything that was noted is written, or has failed once more. */
  settled(): Promise<void>;
  freeze(): void;
}

export interface KeptHomesDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ScaleStore;
  /** False while another controller decides. */
  readonly mayDecide: () => boolean;
}

interface Kept {
  readonly revision: number;
  readonly runtimeIds: readonly string[];
}

const retryMs = 2_000;
const homesSchema = z.object({ runtimeIds: z.array(z.string()).max(1_000) });

/** Reads what there is. Rejects when the store cannot be read. */
export async function openKeptHomes(deps: KeptHomesDeps): Promise<KeptHomes> {
  const homes = new StoredHomes(deps);
  await homes.read();
  return homes;
}

class StoredHomes implements KeptHomes {
  readonly #deps: KeptHomesDeps;
  readonly #kept = new Map<string, Kept>();
  /** What is to be written. */
  readonly #noted = new Map<string, readonly string[]>();
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isFrozen = false;

  constructor(deps: KeptHomesDeps) {
    this.#deps = deps;
  }

  async read(): Promise<void> {
    for (const { key, revision, body } of await this.#deps.store.list('home')) {
      this.#kept.set(key, { revision, runtimeIds: readHomes(body) });
    }
  }

  of(applicationId: string): readonly string[] {
    return this.#noted.get(applicationId) ?? this.#kept.get(applicationId)?.runtimeIds ?? [];
  }

  note(applicationId: string, runtimeIds: readonly string[]): void {
    if (this.#isFrozen || isSame(this.of(applicationId), runtimeIds)) return;
    this.#noted.set(applicationId, [...runtimeIds]);
    this.#begin();
  }

  async forget(applicationId: string): Promise<void> {
    this.#noted.delete(applicationId);
    await this.#writing;
    const present = await this.#deps.store.read('home', applicationId);
    if (present !== undefined) await this.#deps.store.remove('home', applicationId, present.revision);
    this.#kept.delete(applicationId);
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#noted.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #begin(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#noted.size > 0) this.#tryLater();
    });
  }

  #tryLater(): void {
    this.#timer ??= this.#deps.clock.schedule(retryMs, () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const [first] = this.#noted;
      if (first === undefined || this.#isFrozen || !this.#deps.mayDecide()) return;
      const [applicationId, runtimeIds] = first;
      try {
        await this.#write(applicationId, runtimeIds);
      } catch (thrown) {
        const fields = { applicationId, reason: messageOf(thrown) };
        this.#deps.log.write('warning', 'Where an app is could not be written; it is tried again', fields);
        return;
      }
      // A note that came meanwhile follows.
      if (this.#noted.get(applicationId) === runtimeIds) this.#noted.delete(applicationId);
    }
  }

  async #write(applicationId: string, runtimeIds: readonly string[]): Promise<void> {
    const expected = this.#kept.get(applicationId)?.revision ?? 0;
    const outcome = await this.#deps.store.write('home', applicationId, { runtimeIds }, expected);
    if (outcome.kind === 'written') {
      this.#kept.set(applicationId, { revision: outcome.revision, runtimeIds });
      return;
    }
    const { present } = outcome;
    if (present === undefined) this.#kept.delete(applicationId);
    else this.#kept.set(applicationId, { revision: present.revision, runtimeIds: readHomes(present.body) });
    this.#deps.log.write('information', 'Another controller has placed an app meanwhile', { applicationId });
  }
}

/** What nobody understands counts as not known. */
function readHomes(body: unknown): readonly string[] {
  return homesSchema.safeParse(body).data?.runtimeIds ?? [];
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, at) => id === other[at]);
}
