/**
 * The state of the control plane as a port: documents, leases, inbox, outbox, events and audit, written together or not
 * at all. The adapters are `sqlite` (default, one host) and `postgresql` (several hosts); one contract suite
 * (testing/store-contract.ts) runs on both. There are no open transactions: whoever changes something reads, decides and
 * commits, and the commit says what must still be true.
 *
 * What every adapter keeps (the suite's tests name them S1...):
 *
 * S1 A commit happens whole or not at all, also when the process ends or the power goes in the middle.
 * S2 A write of a document at another revision than the one that was read is refused, with everything beside it.
 * S3 An event that a subscription had is had once: a second commit with the same inbox row is refused.
 * S4 A commit under a lease that somebody else took meanwhile is refused, however late it comes.
 * S5 A fencing token is never given twice, and grows.
 * S6 The outbox gives its events in the order of the commits, until they are marked as sent.
 * S7 What was committed is there after a restart.
 */
import type { EventEnvelope, JsonValue } from '@switchyard/protocol';

/** What is kept under a kind and a key. */
export interface StoredDocument<Value extends JsonValue = JsonValue> {
  /** The kind, for example `deployment`. */
  readonly kind: string;
  /** Unique within the kind. */
  readonly key: string;
  readonly tenantId: string;
  /** From 1; every write adds 1. */
  readonly revision: number;
  readonly value: Value;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** When retention removes it; undefined: never. */
  readonly expiresAtMs?: number;
}

/** A change of one document, with what must be true of it. */
export type DocumentWrite =
  | {
      readonly kind: 'put';
      readonly documentKind: string;
      readonly key: string;
      readonly tenantId: string;
      readonly value: JsonValue;
      /** The revision that was read; 0: it must be new. Left out, whatever is there. */
      readonly expectedRevision?: number;
      readonly expiresAtMs?: number;
    }
  | {
      readonly kind: 'remove';
      readonly documentKind: string;
      readonly key: string;
      readonly expectedRevision?: number;
    }
  /** Changes nothing, but the document must still have this revision (0: not be there). */
  | {
      readonly kind: 'check';
      readonly documentKind: string;
      readonly key: string;
      readonly expectedRevision: number;
    };

/** An event to publish with a commit. */
export interface OutboxEvent {
  readonly topic: string;
  readonly envelope: EventEnvelope;
  readonly orderingKey?: string;
  readonly notBeforeMs?: number;
}

/** Who did what to what. Never a secret. */
export interface AuditDraft {
  /** A user or token subject, or a worker such as `worker/drift`. */
  readonly actor: string;
  readonly tenantId: string;
  /** VerbNoun, for example RollbackDeployment. */
  readonly action: string;
  /** What it was done to, for example `deployment/dep-1`. */
  readonly target: string;
  readonly outcome: 'succeeded' | 'refused' | 'failed';
  readonly correlationId?: string;
  readonly traceId?: string;
  readonly eventId?: string;
  readonly detail?: JsonValue;
}

export interface AuditEntry extends AuditDraft {
  /** Grows; the order in which they were written. */
  readonly sequence: number;
  readonly atMs: number;
}

/** Everything that happens together. */
export interface Commit {
  /** S4: must still be held under this token. */
  readonly fence?: Pick<Lease, 'name' | 'token'>;
  /** S3. */
  readonly inbox?: { readonly subscription: string; readonly eventId: string };
  readonly writes?: readonly DocumentWrite[];
  readonly events?: readonly OutboxEvent[];
  readonly audit?: readonly AuditDraft[];
}

/** What became of a commit. All but `committed` changed nothing. */
export type CommitOutcome =
  /** `revisions`: of the writes in their order; 0 for a removed one. */
  | { readonly kind: 'committed'; readonly revisions: readonly number[] }
  | {
      readonly kind: 'conflict';
      readonly documentKind: string;
      readonly key: string;
      readonly expected: number;
      readonly found: number;
    }
  /** The inbox has the event: it was handled before. */
  | { readonly kind: 'duplicate' }
  /** The lease is somebody else's by now, or nobody's. */
  | { readonly kind: 'fenced'; readonly name: string; readonly token: number; readonly current: number }
  /** The tenant has as many documents of the kind as it may. */
  | {
      readonly kind: 'quotaExceeded';
      readonly documentKind: string;
      readonly tenantId: string;
      readonly limit: number;
    };

/** A time-limited right to act, for example on one application. */
export interface Lease {
  readonly name: string;
  /** Who holds it. */
  readonly holder: string;
  /** S5. */
  readonly token: number;
  readonly expiresAtMs: number;
}

export type AcquireOutcome =
  | { readonly kind: 'held'; readonly lease: Lease }
  | { readonly kind: 'taken'; readonly holder: string; readonly expiresAtMs: number };

export interface Leases {
  /** Takes a lease that is free or ran out; the holder itself takes it again, with a new token. */
  acquire(name: string, holder: string, ttlMs: number): Promise<AcquireOutcome>;
  /** Undefined when it is lost: then stop acting. A lease that ran out but that nobody took may be renewed. */
  renew(lease: Lease, ttlMs: number): Promise<Lease | undefined>;
  /** False when it was lost before. */
  release(lease: Lease): Promise<boolean>;
}

export interface DocumentQuery {
  readonly tenantId?: string;
  /** Keys that begin so. */
  readonly keyPrefix?: string;
  /** Keys after this one; the last key of the page before. */
  readonly after?: string;
  /** At most `storeLimits.page`. */
  readonly limit?: number;
}

export interface Documents {
  get<Value extends JsonValue = JsonValue>(kind: string, key: string): Promise<StoredDocument<Value> | undefined>;
  /** In order of the keys. */
  list<Value extends JsonValue = JsonValue>(
    kind: string,
    query?: DocumentQuery,
  ): Promise<readonly StoredDocument<Value>[]>;
  count(kind: string, query?: Pick<DocumentQuery, 'tenantId' | 'keyPrefix'>): Promise<number>;
}

export interface Inbox {
  has(subscription: string, eventId: string): Promise<boolean>;
  /** Replay: the subscription never had these. */
  forget(subscription: string, eventIds: readonly string[]): Promise<void>;
}

/** An event of the outbox, sent or not. */
export interface OutboxRecord extends OutboxEvent {
  /** Grows with the commits. */
  readonly sequence: number;
  readonly committedAtMs: number;
  readonly sentAtMs?: number;
}

export interface Outbox {
  /** Not sent yet, oldest first. */
  pending(limit: number): Promise<readonly OutboxRecord[]>;
  markSent(sequences: readonly number[]): Promise<void>;
  /** Calls back after a commit of this process that has events. Returns the unsubscriber. */
  watch(observer: () => void): () => void;
}

export interface EventQuery {
  readonly tenantId?: string;
  readonly eventType?: string;
  readonly environmentId?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  readonly eventId?: string;
  /** Those after this sequence; 0 from the oldest. Left out with `newestFirst`, from the newest. */
  readonly after?: number;
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

/** The events that went through the outbox, kept for `events list` and `events tail`. */
export interface EventJournal {
  list(query?: EventQuery): Promise<readonly OutboxRecord[]>;
}

export interface AuditQuery {
  readonly tenantId?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly correlationId?: string;
  /** Those before this sequence. */
  readonly before?: number;
  readonly limit?: number;
}

export interface AuditTrail {
  /** Newest first. */
  list(query?: AuditQuery): Promise<readonly AuditEntry[]>;
}

/** How long what is kept stays. */
export interface RetentionPolicy {
  readonly inboxMs: number;
  /** Of events that were sent. */
  readonly eventsMs: number;
  readonly auditMs: number;
}

/** How many rows a sweep removed. */
export interface SweepCounts {
  readonly documents: number;
  readonly inbox: number;
  readonly events: number;
  readonly audit: number;
}

export interface Store {
  /**
   * @throws PlatformError STORE_UNAVAILABLE (whether it happened is unknown: commit again, S2 and S3 tell),
   *   STORE_FILE_DAMAGED, STORE_DOCUMENT_TOO_LARGE, STORE_INPUT_INVALID, STORE_CLOSED
   */
  commit(commit: Commit): Promise<CommitOutcome>;
  readonly documents: Documents;
  readonly leases: Leases;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly events: EventJournal;
  readonly audit: AuditTrail;
  /** Removes what outstayed its time: expired documents, old inbox rows, sent events, audit entries. In small steps. */
  sweep(policy: RetentionPolicy): Promise<SweepCounts>;
  close(): Promise<void>;
}

/** How many documents of a kind one tenant may have; a kind left out has no limit. */
export type Quotas = Readonly<Record<string, number>>;
