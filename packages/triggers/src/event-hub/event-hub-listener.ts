/**
 * Reads its share of the partitions of an event hub, and runs the function for their events.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost, through the trigger kind. Who reads which partition
 * stands in the app's storage, where all readers of a consumer group look, those of the official host too.
 *
 * I1 Each partition has its own work, from its first events until somebody else reads it; see `PartitionWork`.
 * I2 A namespace or a storage that is away costs one warning, and is asked again.
 * I3 `drain` ends what runs, writes its checkpoints and only then gives the partitions up, so that others go on from there;
 *    `close` gives them up at once, without a checkpoint for what runs.
 */
import { messageOf, StateMachine, settlesWithin } from '@switchyard/kernel';
import type { EventHubsExtension } from '@switchyard/model';
import { aborted } from '../aborted.ts';
import type { Backlog, ListenerContext, TriggerListener } from '../contract.ts';
import { listenerEdges } from '../listener-life.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { eventHubErrors } from './errors.ts';
import type {
  EventHubReader,
  EventHubService,
  PartitionExtent,
  PartitionSink,
  PartitionStore,
  ReceivedEvent,
  StartPosition,
} from './event-hub-client.ts';
import { type EventForm, toHubBatchEvent, toHubEvent } from './event-hub-event.ts';
import { PartitionWork } from './partition-work.ts';

export interface EventHubTriggerOptions extends EventForm {
  readonly isBatch: boolean;
  readonly start: StartPosition;
  readonly limits: EventHubsExtension;
}

export interface EventHubListenerDeps {
  readonly service: EventHubService;
  readonly store: PartitionStore;
}

/** The official host's pace of sharing partitions out. */
const defaultBalanceMs = 10_000;
const defaultExpiryMs = 60_000;

const closeMs = 5_000;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly reader: EventHubReader }
  | { readonly kind: 'draining'; readonly reader: EventHubReader }
  | { readonly kind: 'closed' };

export class EventHubListener implements TriggerListener, PartitionSink {
  readonly #deps: EventHubListenerDeps;
  readonly #options: EventHubTriggerOptions;
  readonly #context: ListenerContext;
  readonly #outage: OutageLog;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, listenerEdges);
  readonly #work = new Map<string, PartitionWork>();
  /** What lies before the events of partitions that nobody has read yet. */
  readonly #bases = new Map<string, number>();

  constructor(deps: EventHubListenerDeps, options: EventHubTriggerOptions, context: ListenerContext) {
    this.#deps = deps;
    this.#options = options;
    this.#context = context;
    this.#outage = new OutageLog(context.log, {
      began: 'Events of an event hub cannot be read; the host tries again',
      ended: 'Events of an event hub can be read again',
      fields: this.#fields,
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { place, start, limits } = this.#options;
    const { service, store } = this.#deps;
    const reading = {
      ownerId: this.#context.random.uuid(),
      maxEvents: limits.maxEventBatchSize,
      prefetchCount: limits.prefetchCount,
      start,
      balanceMs: limits.loadBalancingUpdateIntervalMs ?? defaultBalanceMs,
      expiryMs: limits.partitionOwnershipExpirationIntervalMs ?? defaultExpiryMs,
      tracksLastEvent: limits.trackLastEnqueuedEventProperties,
    };
    const reader = await service.read(place, reading, store, this);
    // Whoever closed meanwhile had no reader to close.
    if (this.#state.state.kind === 'closed') return this.#closeReader(reader);
    this.#state.transition({ kind: 'listening', reader });
  }

  async drain(signal: AbortSignal): Promise<void> {
    const { state } = this.#state;
    if (state.kind !== 'listening') return this.close();
    this.#state.transition({ ...state, kind: 'draining' });
    const finished = Promise.all([...this.#work.values()].map((work) => work.finish()));
    await Promise.race([finished, aborted(signal)]);
    await this.close();
  }

  async close(): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'closed') return;
    this.#state.transition({ kind: 'closed' });
    for (const work of this.#work.values()) work.stop();
    this.#work.clear();
    if (state.kind !== 'idle') await this.#closeReader(state.reader);
  }

  async backlog(): Promise<Backlog | undefined> {
    const { state } = this.#state;
    if (state.kind !== 'listening') return undefined;
    const [extents, checkpoints] = await Promise.all([state.reader.extents(), this.#deps.store.checkpoints()]);
    const read = new Map(checkpoints.map(({ partitionId, sequenceNumber }) => [partitionId, sequenceNumber]));
    let messageCount = 0;
    for (const [partitionId, extent] of extents) {
      const running = this.#work.get(partitionId)?.runningCount ?? 0;
      const readUpTo = this.#readUpTo(partitionId, read) ?? this.#baseOf(partitionId, extent);
      messageCount += Math.max(0, extent.last - Math.max(readUpTo, extent.first - 1) - running);
    }
    const { targetUnprocessedEventThreshold: targetPerWorker } = this.#options.limits;
    return { messageCount, oldestMs: undefined, ...(targetPerWorker === undefined ? {} : { targetPerWorker }) };
  }

  receive(partitionId: string, events: readonly ReceivedEvent[]): Promise<void> {
    if (this.#state.kind !== 'listening' && this.#state.kind !== 'idle') return Promise.resolve();
    let work = this.#work.get(partitionId);
    if (work === undefined) {
      work = this.#open(partitionId);
      this.#work.set(partitionId, work);
    }
    return work.take(events);
  }

  closed(partitionId: string): void {
    this.#work.get(partitionId)?.stop();
    this.#work.delete(partitionId);
  }

  failed(thrown: unknown): void {
    if (this.#state.kind !== 'closed') this.#outage.failed(thrown);
  }

  succeeded(): void {
    this.#outage.succeeded();
  }

  /** On a dead line closing may take for ever. */
  async #closeReader(reader: EventHubReader): Promise<void> {
    await settlesWithin(
      this.#context.clock,
      closeMs,
      reader.close().catch(() => {}),
    );
  }

  /** What ran here may be further than its checkpoint. */
  #readUpTo(partitionId: string, checkpoints: ReadonlyMap<string, number>): number | undefined {
    return this.#work.get(partitionId)?.done?.sequenceNumber ?? checkpoints.get(partitionId);
  }

  /** Before the first event that is for us. Those that were there when reading began wait only where it begins with them. */
  #baseOf(partitionId: string, { first, last }: PartitionExtent): number {
    const base = this.#bases.get(partitionId) ?? (this.#options.start.kind === 'start' ? first - 1 : last);
    this.#bases.set(partitionId, base);
    return base;
  }

  #open(partitionId: string): PartitionWork {
    const { isBatch, limits } = this.#options;
    const { clock, random, invoke } = this.#context;
    return new PartitionWork(
      {
        clock,
        random,
        run: (events, isCheckpointing) => {
          const place = { partitionId, isCheckpointing };
          const [first] = events;
          const event =
            isBatch || first === undefined
              ? toHubBatchEvent(events, this.#options, place)
              : toHubEvent(first, this.#options, place);
          return invoke(event);
        },
        checkpoint: (event) => this.#checkpoint(partitionId, event),
      },
      {
        isBatch,
        minEvents: limits.minEventBatchSize,
        maxEvents: limits.maxEventBatchSize,
        maxWaitMs: limits.maxWaitTimeMs,
        concurrency: limits.maxConcurrentCallsPerPartition,
        batchesPerCheckpoint: limits.batchCheckpointFrequency,
      },
    );
  }

  async #checkpoint(partition: string, { offset, sequenceNumber }: ReceivedEvent): Promise<void> {
    try {
      await this.#deps.store.advance({ partitionId: partition, offset, sequenceNumber });
    } catch (thrown) {
      const details = { partition, hub: this.#options.place.hub, reason: messageOf(thrown) };
      const error = eventHubErrors.create('EVENT_HUB_CHECKPOINT_REFUSED', details, thrown);
      this.#context.log.write('warning', error.message, { ...this.#fields, code: error.code });
    }
  }

  get #fields(): Readonly<Record<string, string>> {
    return {
      category: 'Host.Triggers.EventHubs',
      function: this.#context.functionName,
      hub: this.#options.place.hub,
    };
  }
}
