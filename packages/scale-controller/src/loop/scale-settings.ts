/**
 * What the owners of apps have said of their scale: kept in the store, at hand for every look.
 *
 * Ownership: the controller owns it. Other controllers may write to the same store.
 *
 * I1 What was written here holds at once; what another controller writes, after `refreshMs` at the latest.
 * I2 A writer that has seen another revision than the present one is refused, and changes nothing.
 * I3 What a store has kept and nobody understands counts as not said, and is logged.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import { appScaleSchema } from '@switchyard/protocol/control-api';
import { scaleErrors } from '../errors.ts';
import type { ScaleDocument, ScaleStore } from '../store/contract.ts';
import type { AppScale } from './app-policy.ts';

export interface KeptScale {
  readonly scale: AppScale;
  /** 0 when nothing was said. */
  readonly revision: number;
}

export interface ScaleSettings {
  get(applicationId: string): KeptScale;
  /** @throws PlatformError SCALE_REVISION_CONFLICT */
  put(applicationId: string, scale: AppScale, revision: number | undefined): Promise<KeptScale>;
  forget(applicationId: string): Promise<void>;
  /** Apps that keep workers also when they sleep. */
  keepers(): readonly string[];
  close(): void;
}

const refreshMs = 2_000;

const nothing: KeptScale = { scale: {}, revision: 0 };

/** Reads what there is. Rejects when the store cannot be read. */
export async function openScaleSettings(deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ScaleStore;
}): Promise<ScaleSettings> {
  const settings = new StoredScaleSettings(deps);
  await settings.refresh();
  settings.start();
  return settings;
}

class StoredScaleSettings implements ScaleSettings {
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly store: ScaleStore };
  #kept = new Map<string, KeptScale>();
  #keepers: readonly string[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: { readonly clock: Clock; readonly log: Log; readonly store: ScaleStore }) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.schedule(refreshMs, () => {
      this.refresh()
        .catch((thrown: unknown) =>
          this.#deps.log.write('warning', 'The scale of apps could not be read again', { reason: messageOf(thrown) }),
        )
        .finally(() => this.start());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  get(applicationId: string): KeptScale {
    return this.#kept.get(applicationId) ?? nothing;
  }

  keepers(): readonly string[] {
    return this.#keepers;
  }

  async put(applicationId: string, scale: AppScale, revision: number | undefined): Promise<KeptScale> {
    const { store } = this.#deps;
    const present = await store.read('scale', applicationId);
    const expected = present?.revision ?? 0;
    if (revision !== undefined && revision !== expected) return conflict(applicationId, revision, expected);
    const outcome = await store.write('scale', applicationId, scale, expected);
    if (outcome.kind === 'conflict') return conflict(applicationId, expected, outcome.present?.revision ?? 0);
    const kept = { scale, revision: outcome.revision };
    this.#adopt(new Map([...this.#kept, [applicationId, kept]]));
    return kept;
  }

  async forget(applicationId: string): Promise<void> {
    const { store } = this.#deps;
    for (const kind of ['scale', 'rollout'] as const) {
      const present = await store.read(kind, applicationId);
      if (present !== undefined) await store.remove(kind, applicationId, present.revision);
    }
    const kept = new Map(this.#kept);
    kept.delete(applicationId);
    this.#adopt(kept);
  }

  async refresh(): Promise<void> {
    const documents = await this.#deps.store.list('scale');
    if (this.#isClosed) return;
    this.#adopt(new Map(documents.map((document) => [document.key, this.#read(document)])));
  }

  #adopt(kept: Map<string, KeptScale>): void {
    this.#kept = kept;
    this.#keepers = [...kept].filter(([, { scale }]) => (scale.alwaysReady ?? 0) > 0).map(([key]) => key);
  }

  #read({ key, revision, body }: ScaleDocument): KeptScale {
    const known = this.#kept.get(key);
    if (known?.revision === revision) return known;
    const reading = appScaleSchema.safeParse(body);
    if (reading.success) return { scale: reading.data, revision };
    const reason = reading.error.issues[0]?.message ?? 'it is not understood';
    this.#deps.log.write('error', 'The kept scale of an app is not understood', { applicationId: key, reason });
    return { scale: {}, revision };
  }
}

function conflict(applicationId: string, seen: number, present: number): never {
  throw scaleErrors.create('SCALE_REVISION_CONFLICT', { applicationId, seen, present });
}
