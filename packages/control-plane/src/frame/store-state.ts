/** The state of the workers over the store: records are documents, and a commit is one commit there. */

import type { Clock } from '@switchyard/kernel';
import type { JsonValue } from '@switchyard/protocol';
import { type DomainRecords, idOf, type RecordKind, type RecordPut, recordKinds } from '../domain/records.ts';
import { retentionMsOf } from '../domain/retention.ts';
import type { DocumentWrite, Store } from '../store/contract.ts';
import { storeLimits } from '../store/limits.ts';
import type { Commit, CommitOutcome, DomainState, HandledEvent, Lease, ListFilter } from './contract.ts';
import { workerErrors } from './errors.ts';

/** Where all events of the control plane go. */
export const controlTopic = 'control';

/** The subscription of a worker, which is also how the inbox knows it. */
export function subscriptionOf(worker: string): string {
  return `worker-${worker}`;
}

export function createStoreState(deps: { readonly store: Store; readonly clock: Pick<Clock, 'now'> }): DomainState {
  return new StoreState(deps.store, deps.clock);
}

class StoreState implements DomainState {
  readonly #store: Store;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(store: Store, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#clock = clock;
  }

  async get<Kind extends RecordKind>(kind: Kind, id: string): Promise<DomainRecords[Kind] | undefined> {
    if (id === '') return undefined;
    const found = await this.#store.documents.get(kind, id);
    // What is there was written by `commit`, which takes records alone.
    return found?.value as DomainRecords[Kind] | undefined;
  }

  async list<Kind extends RecordKind>(kind: Kind, filter: ListFilter = {}): Promise<readonly DomainRecords[Kind][]> {
    const { tenantId, environmentId, serviceId } = filter;
    const found: DomainRecords[Kind][] = [];
    const serviceOfRecord = recordKinds[kind].serviceOf;
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.documents.list(kind, {
        ...(tenantId === undefined ? {} : { tenantId }),
        // The ids of all that belongs to a service begin with its own.
        ...(serviceId === undefined ? {} : { keyPrefix: serviceId }),
        ...(after === undefined ? {} : { after }),
        limit: storeLimits.page,
      });
      for (const { value } of page) {
        const record = value as unknown as DomainRecords[Kind];
        const isOther =
          environmentId !== undefined && (record as { environmentId: string }).environmentId !== environmentId;
        if (isOther || (serviceId !== undefined && serviceOfRecord?.(record) !== serviceId)) continue;
        found.push(record);
      }
      if (page.length < storeLimits.page) return found;
      after = page.at(-1)?.key;
    }
  }

  async commit({ puts, removes, events, lease, handled, audit }: Commit): Promise<CommitOutcome> {
    const nowMs = this.#clock.now();
    const outcome = await this.#store.commit({
      ...(lease === undefined ? {} : { fence: { name: lease.key, token: lease.token } }),
      ...(handled === undefined
        ? {}
        : { inbox: { subscription: subscriptionOf(handled.worker), eventId: handled.eventId } }),
      writes: [
        ...puts.map((put) => toWrite(put, nowMs)),
        ...removes.map(({ kind, id }): DocumentWrite => ({ kind: 'remove', documentKind: kind, key: id })),
      ],
      events: events.map((envelope) => ({
        ...{ topic: controlTopic, envelope },
        orderingKey: `${envelope.environmentId ?? ''}/${envelope.subject ?? ''}`,
      })),
      ...(audit === undefined ? {} : { audit }),
    });
    switch (outcome.kind) {
      case 'committed':
      // Somebody handled the event meanwhile: what it asked for was done.
      case 'duplicate':
        return 'committed';
      case 'fenced':
        return 'fenced';
      case 'conflict':
        throw workerErrors.create('RECORD_CONFLICT', { kind: outcome.documentKind, id: outcome.key });
      case 'quotaExceeded':
        throw workerErrors.create('TENANT_QUOTA_EXCEEDED', {
          ...{ tenantId: outcome.tenantId, kind: outcome.documentKind, limit: outcome.limit },
        });
    }
  }

  isHandled({ worker, eventId }: HandledEvent): Promise<boolean> {
    return this.#store.inbox.has(subscriptionOf(worker), eventId);
  }

  async acquire(key: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const outcome = await this.#store.leases.acquire(key, holder, ttlMs);
    return outcome.kind === 'taken' ? undefined : { key, holder, token: outcome.lease.token };
  }

  async renew({ key, holder, token }: Lease, ttlMs: number): Promise<boolean> {
    return (await this.#store.leases.renew({ name: key, holder, token, expiresAtMs: 0 }, ttlMs)) !== undefined;
  }

  async release({ key, holder, token }: Lease): Promise<void> {
    await this.#store.leases.release({ name: key, holder, token, expiresAtMs: 0 });
  }
}

function toWrite(put: RecordPut, nowMs: number): DocumentWrite {
  const keepMs = retentionMsOf(put);
  return {
    ...{ kind: 'put', documentKind: put.kind, key: idOf(put), tenantId: put.record.tenantId },
    value: put.record as unknown as JsonValue,
    ...(keepMs === undefined ? {} : { expiresAtMs: nowMs + keepMs }),
  };
}
