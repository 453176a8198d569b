/**
 * What people have said, kept in the store and at hand for every look.
 *
 * Ownership: the controller owns it. Other controllers may write to the same store.
 *
 * I1 What was written here holds at once; what another controller writes, after `refreshMs` at the latest.
 * I2 A writer that has seen another revision than the present one is refused, and changes nothing.
 * I3 What a store has kept and nobody understands counts as not said, and is logged.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { z } from 'zod';
import { scaleErrors } from '../errors.ts';
import type { DocumentKind, ScaleDocument, ScaleStore } from '../store/contract.ts';

export interface KeptDocument<Body> {
  readonly body: Body;
  /** 0 when nothing was said. */
  readonly revision: number;
}

export interface KeptDocuments<Body> {
  get(key: string): KeptDocument<Body>;
  readonly all: ReadonlyMap<string, KeptDocument<Body>>;
  /** `revision` is what the writer has seen; undefined lets the last writer win. @throws PlatformError SCALE_REVISION_CONFLICT */
  put(key: string, body: Body, revision: number | undefined): Promise<KeptDocument<Body>>;
  forget(key: string): Promise<void>;
  close(): void;
}

export interface KeptDocumentsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ScaleStore;
}

export interface KeptDocumentsOptions<Body> {
  readonly kind: DocumentKind;
  readonly schema: z.ZodType<Body>;
  /** What holds when nothing was said. */
  readonly nothing: Body;
  /** For messages, for example `scale of app 'shop'`. */
  readonly nameOf: (key: string) => string;
}

const refreshMs = 2_000;

/** Reads what there is. Rejects when the store cannot be read. */
export async function openKeptDocuments<Body>(
  deps: KeptDocumentsDeps,
  options: KeptDocumentsOptions<Body>,
): Promise<KeptDocuments<Body>> {
  const documents = new StoredDocuments(deps, options);
  await documents.refresh();
  documents.start();
  return documents;
}

class StoredDocuments<Body> implements KeptDocuments<Body> {
  readonly #deps: KeptDocumentsDeps;
  readonly #options: KeptDocumentsOptions<Body>;
  readonly #nothing: KeptDocument<Body>;
  #kept: ReadonlyMap<string, KeptDocument<Body>> = new Map();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: KeptDocumentsDeps, options: KeptDocumentsOptions<Body>) {
    this.#deps = deps;
    this.#options = options;
    this.#nothing = { body: options.nothing, revision: 0 };
  }

  start(): void {
    if (this.#isClosed) return;
    const { clock, log } = this.#deps;
    this.#timer = clock.schedule(refreshMs, () => {
      this.refresh()
        .catch((thrown: unknown) =>
          log.write('warning', 'What was said of scale could not be read again', { reason: messageOf(thrown) }),
        )
        .finally(() => this.start());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  get all(): ReadonlyMap<string, KeptDocument<Body>> {
    return this.#kept;
  }

  get(key: string): KeptDocument<Body> {
    return this.#kept.get(key) ?? this.#nothing;
  }

  async put(key: string, body: Body, revision: number | undefined): Promise<KeptDocument<Body>> {
    const { store } = this.#deps;
    const { kind } = this.#options;
    const expected = (await store.read(kind, key))?.revision ?? 0;
    if (revision !== undefined && revision !== expected) return this.#conflict(key, revision, expected);
    const outcome = await store.write(kind, key, body, expected);
    if (outcome.kind === 'conflict') return this.#conflict(key, expected, outcome.present?.revision ?? 0);
    const kept = { body, revision: outcome.revision };
    this.#kept = new Map([...this.#kept, [key, kept]]);
    return kept;
  }

  async forget(key: string): Promise<void> {
    const { store } = this.#deps;
    const { kind } = this.#options;
    const present = await store.read(kind, key);
    if (present !== undefined) await store.remove(kind, key, present.revision);
    const kept = new Map(this.#kept);
    kept.delete(key);
    this.#kept = kept;
  }

  async refresh(): Promise<void> {
    const documents = await this.#deps.store.list(this.#options.kind);
    if (this.#isClosed) return;
    this.#kept = new Map(documents.map((document) => [document.key, this.#read(document)]));
  }

  #read({ key, revision, body }: ScaleDocument): KeptDocument<Body> {
    const known = this.#kept.get(key);
    if (known?.revision === revision) return known;
    const { schema, nothing, kind } = this.#options;
    const reading = schema.safeParse(body);
    if (reading.success) return { body: reading.data, revision };
    const reason = reading.error.issues[0]?.message ?? 'it is not understood';
    this.#deps.log.write('error', 'What was kept of scale is not understood', { kind, key, reason });
    return { body: nothing, revision };
  }

  #conflict(key: string, seen: number, present: number): never {
    throw scaleErrors.create('SCALE_REVISION_CONFLICT', { what: this.#options.nameOf(key), seen, present });
  }
}
