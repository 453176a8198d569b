/** The state of the control plane in memory, for tests: the same promises, and every write can be the last one. */
import type { EventEnvelope } from '@switchyard/protocol';
import { type DomainRecords, idOf, type RecordKind, type RecordPut, serviceOf } from '../domain/records.ts';
import type { Commit, CommitOutcome, DomainState, HandledEvent, Lease, ListFilter } from '../frame/contract.ts';

interface HeldLease {
  token: number;
  holder: string;
  expiresAtMs: number;
}

export class MemoryState implements DomainState {
  readonly #now: () => number;
  /** JSON, so that nobody shares an object with the state. */
  readonly #records = new Map<RecordKind, Map<string, { readonly text: string; readonly put: RecordPut }>>();
  readonly #handled = new Set<string>();
  readonly #leases = new Map<string, HeldLease>();
  readonly #outbox: EventEnvelope[] = [];
  #tokens = 0;
  /** Commits that wrote something. */
  writes = 0;
  /** Called when there are events to take. */
  onEvents: () => void = () => {};
  /** Every event that was ever told. */
  readonly told: EventEnvelope[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  async get<Kind extends RecordKind>(kind: Kind, id: string): Promise<DomainRecords[Kind] | undefined> {
    return this.read(kind, id);
  }

  read<Kind extends RecordKind>(kind: Kind, id: string): DomainRecords[Kind] | undefined {
    const found = this.#records.get(kind)?.get(id);
    return found === undefined ? undefined : (JSON.parse(found.text) as DomainRecords[Kind]);
  }

  async list<Kind extends RecordKind>(kind: Kind, filter: ListFilter = {}): Promise<readonly DomainRecords[Kind][]> {
    return this.all(kind, filter);
  }

  all<Kind extends RecordKind>(kind: Kind, filter: ListFilter = {}): readonly DomainRecords[Kind][] {
    const found = [...(this.#records.get(kind) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
    return found.filter(([, { put }]) => matches(put, filter)).map(([, { text }]) => JSON.parse(text));
  }

  async commit({ puts, removes, events, lease, handled }: Commit): Promise<CommitOutcome> {
    if (lease !== undefined && this.#leases.get(lease.key)?.token !== lease.token) return 'fenced';
    for (const put of puts) {
      const kind = this.#records.get(put.kind) ?? new Map();
      kind.set(idOf(put), { text: JSON.stringify(put.record), put });
      this.#records.set(put.kind, kind);
    }
    for (const { kind, id } of removes) this.#records.get(kind)?.delete(id);
    if (puts.length + removes.length + events.length > 0) this.writes += 1;
    this.#outbox.push(...events);
    this.told.push(...events);
    if (events.length > 0) this.onEvents();
    if (handled !== undefined) this.#handled.add(`${handled.worker}/${handled.eventId}`);
    return 'committed';
  }

  async isHandled({ worker, eventId }: HandledEvent): Promise<boolean> {
    return this.#handled.has(`${worker}/${eventId}`);
  }

  async acquire(key: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const held = this.#leases.get(key);
    if (held !== undefined && held.holder !== holder && held.expiresAtMs > this.#now()) return undefined;
    this.#tokens += 1;
    this.#leases.set(key, { token: this.#tokens, holder, expiresAtMs: this.#now() + ttlMs });
    return { key, holder, token: this.#tokens };
  }

  async renew({ key, token }: Lease, ttlMs: number): Promise<boolean> {
    const held = this.#leases.get(key);
    if (held?.token !== token) return false;
    held.expiresAtMs = this.#now() + ttlMs;
    return true;
  }

  async release({ key, token }: Lease): Promise<void> {
    const held = this.#leases.get(key);
    if (held?.token === token) held.expiresAtMs = 0;
  }

  /** The events that nobody has taken yet. */
  takeEvents(): readonly EventEnvelope[] {
    return this.#outbox.splice(0);
  }

  /** Everything that is kept, as text: what must hold no secret. */
  dump(): string {
    return JSON.stringify(
      [...this.#records].map(([kind, records]) => [kind, [...records.values()].map(({ text }) => text)]),
    );
  }
}

function matches(put: RecordPut, { tenantId, environmentId, serviceId }: ListFilter): boolean {
  const record = put.record as { readonly tenantId: string; readonly environmentId: string };
  return (
    (tenantId === undefined || record.tenantId === tenantId) &&
    (environmentId === undefined || record.environmentId === environmentId) &&
    (serviceId === undefined || serviceOf(put) === serviceId)
  );
}
