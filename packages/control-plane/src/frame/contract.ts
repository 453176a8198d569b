/**
 * What a worker is, and what it stands on. A worker is level-triggered: events and timers only say "look again at this
 * key". `look` reads what is desired and what is there and plans; it changes nothing. What it found to do is done under
 * the lease of the key, and what is to be kept or told is committed at once, or not at all.
 */
import type { Clock, Log, Meter, Random } from '@switchyard/kernel';
import type { EventEnvelope, JsonFields } from '@switchyard/protocol';
import type { Environment, TenantBinding, Trace, WorkerName } from '@switchyard/protocol/control-api';
import type { EventType } from '../domain/events.ts';
import type { DomainRecords, RecordKind, RecordPut } from '../domain/records.ts';
import type { AuditDraft } from '../store/contract.ts';

/** The right to act on a key. A later lease of the same key has a greater token. */
export interface Lease {
  readonly key: string;
  readonly holder: string;
  readonly token: number;
}

/** What is written and told together. */
export interface Batch {
  readonly puts?: readonly RecordPut[];
  readonly removes?: readonly RecordRef[];
  readonly events?: readonly EventDraft[];
}

export interface RecordRef {
  readonly kind: RecordKind;
  readonly id: string;
}

/** An event to be; the frame gives it its id, its time and its trace. */
export interface EventDraft {
  readonly eventType: EventType;
  readonly tenantId: string;
  readonly environmentId: string;
  /** The service, target or binding that it is about: events about one come in order. */
  readonly subject: string;
  readonly payload: JsonFields;
}

/** A batch with all that it needs to be committed. */
export interface Commit {
  readonly puts: readonly RecordPut[];
  readonly removes: readonly RecordRef[];
  readonly events: readonly EventEnvelope[];
  /** Refused when the lease is not the latest of its key. */
  readonly lease?: Lease;
  /** Marks the event as handled by the worker. */
  readonly handled?: HandledEvent;
  readonly audit?: readonly AuditDraft[];
}

export interface HandledEvent {
  readonly worker: string;
  readonly eventId: string;
}

export type CommitOutcome =
  | 'committed'
  /** Somebody else holds the key by now. Nothing was written. */
  | 'fenced';

export interface ListFilter {
  readonly tenantId?: string;
  readonly environmentId?: string;
  readonly serviceId?: string;
}

/** Reading alone; what a plan may use. */
export interface DomainView {
  get<Kind extends RecordKind>(kind: Kind, id: string): Promise<DomainRecords[Kind] | undefined>;
  /** In order of id. */
  list<Kind extends RecordKind>(kind: Kind, filter?: ListFilter): Promise<readonly DomainRecords[Kind][]>;
}

/** The state of the control plane. One contract suite; SQLite by default, PostgreSQL for several hosts. */
export interface DomainState extends DomainView {
  /** All or nothing: records, inbox and outbox. */
  commit(commit: Commit): Promise<CommitOutcome>;
  isHandled(handled: HandledEvent): Promise<boolean>;
  /** Undefined while another holder has the key. */
  acquire(key: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** False when the lease is lost. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
}

/** What a run of a worker knows of why it runs. */
export interface Run {
  readonly key: string;
  readonly nowMs: number;
  readonly trace: Trace;
  /** The event that led here; undefined with a timer. */
  readonly cause: EventEnvelope | undefined;
  /** The event was a dead letter, and somebody wants it tried anew. */
  readonly isReplay: boolean;
  readonly view: DomainView;
}

/** A run that may act. */
export interface ActingRun extends Run {
  /** Aborts when the lease is lost or the worker stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Keeps and tells something before the end, so that a crash does not lose it. Throws when the lease is lost. */
  commit(batch: Batch): Promise<void>;
}

/** What a look found. */
export type Finding =
  /** All is as it ought to be. */
  { readonly kind: 'rest'; readonly wakeAtMs?: number } | Work;

export interface Work {
  readonly kind: 'work';
  /** For log lines and spans: a constant of the worker. */
  readonly what: string;
  /** In whose name it acts; held against the environment's binding before it does. */
  readonly tenantId: string;
  readonly environmentId: string;
  /** The trace of what is under way, where it is not this run's. */
  readonly trace?: Trace;
  /** Idempotent: a crash after it, and before its batch is committed, does it again. */
  act(run: ActingRun): Promise<Batch>;
}

/** One of the seven. */
export interface Worker {
  readonly name: WorkerName;
  /** The keys that an event asks to look at; none when it is no business of this worker. */
  keysOf(event: EventEnvelope, view: DomainView): Promise<readonly string[]>;
  /** The keys that a tick looks at. */
  keysOfTick(view: DomainView, nowMs: number): Promise<readonly string[]>;
  look(run: Run): Promise<Finding>;
  /** The tries are over: what is to be kept and told of it. */
  giveUp?(run: Run, reason: string): Promise<Batch>;
}

/** How one of the seven runs: the row of the table. @see workerTable */
export interface WorkerRule {
  /** Between ticks. */
  readonly everyMs: number;
  readonly events: readonly EventType[];
  /** Tries of one key before the worker gives up on it. */
  readonly maxAttempts: number;
  /** What becomes of an event whose tries are over. */
  readonly exhausted: 'dead-letter' | 'alert' | 'next-tick';
  /** What the worker's work is told apart by, in words, for the documentation and the tests. */
  readonly idempotencyKey: string;
  readonly emits: readonly EventType[];
}

/** A stretch of work, for tracing. */
export interface Span {
  readonly name: string;
  readonly trace: Trace;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly error?: string;
}

export interface FrameDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly state: DomainState;
  readonly spans: { record(span: Span): void };
}

export interface GuardedEnvironment {
  readonly environment: Environment;
  readonly binding: TenantBinding;
}
