/** What the trigger and the output need of Event Hubs. */
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';

/** What a trigger reads. */
export interface EventHubPlace {
  readonly connection: NamespaceConnection;
  readonly hub: string;
  readonly consumerGroup: string;
}

/** An event of a partition. Times are milliseconds since the Unix epoch. */
export interface ReceivedEvent {
  readonly body: Uint8Array;
  readonly sequenceNumber: number;
  /** A text: it is no number in every namespace. */
  readonly offset: string;
  readonly enqueuedMs: number;
  readonly partitionKey: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
  /** What the service and the protocol say of it, by the names that they have there. */
  readonly systemProperties: Readonly<Record<string, unknown>>;
  /** The whole message in the binary form of AMQP. */
  encode(): Uint8Array;
}

/** Where to begin in a partition that has no checkpoint. */
export type StartPosition =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'time'; readonly fromMs: number };

export interface ReadingOptions {
  /** Who reads, in the ownership of partitions. */
  readonly ownerId: string;
  /** The most events in one call of `receive`. */
  readonly maxEvents: number;
  readonly prefetchCount: number;
  readonly start: StartPosition;
  /** How often ownership is renewed and shared out anew. */
  readonly balanceMs: number;
  /** After this time without a renewal a partition is anybody's. */
  readonly expiryMs: number;
  /** Asks the service for the end of the partition with each event. */
  readonly tracksLastEvent: boolean;
}

/** Who reads a partition. */
export interface PartitionOwnership {
  readonly partitionId: string;
  /** Empty: nobody. */
  readonly ownerId: string;
  readonly etag: string;
  readonly lastModifiedMs: number;
}

/** How far a partition was read. */
export interface PartitionCheckpoint {
  readonly partitionId: string;
  readonly offset: string;
  readonly sequenceNumber: number;
}

/** What the readers of a consumer group share. */
export interface PartitionStore {
  ownerships(): Promise<readonly PartitionOwnership[]>;
  /** Claims a partition, if it is still as `etag` says, or new without one. False when somebody else was faster. */
  claim(partitionId: string, ownerId: string, etag: string | undefined): Promise<boolean>;
  checkpoints(): Promise<readonly PartitionCheckpoint[]>;
  advance(checkpoint: PartitionCheckpoint): Promise<void>;
}

/** What becomes of the partitions that a reader owns. */
export interface PartitionSink {
  /** The next events of a partition, in order. Those after them come when it has resolved. */
  receive(partitionId: string, events: readonly ReceivedEvent[]): Promise<void>;
  /** Nothing more comes of the partition: somebody else reads it, or nobody for now. */
  closed(partitionId: string): void;
  /** The service or the store did not do its part; it is asked again. */
  failed(thrown: unknown): void;
  /** All is well. */
  succeeded(): void;
}

/** The numbers of the first and of the last event that a partition still has; one that is empty has a last that is less. */
export interface PartitionExtent {
  readonly first: number;
  readonly last: number;
}

/** Reads its share of the partitions until it is closed. */
export interface EventHubReader {
  /** What each partition holds. */
  extents(): Promise<ReadonlyMap<string, PartitionExtent>>;
  /** Gives all partitions up, so that others take them at once. */
  close(): Promise<void>;
}

/** An event that is sent. */
export interface OutgoingEvent {
  readonly body: Uint8Array;
  readonly contentType: string;
}

export interface EventHubService {
  read(
    place: EventHubPlace,
    options: ReadingOptions,
    store: PartitionStore,
    sink: PartitionSink,
  ): Promise<EventHubReader>;
  /** Resolves when all are safe. */
  send(connection: NamespaceConnection, hub: string, events: readonly OutgoingEvent[]): Promise<void>;
}
