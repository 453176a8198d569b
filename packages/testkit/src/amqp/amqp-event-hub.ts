/**
 * What an event hub keeps: partitions, each a log that readers follow from wherever they like. Nothing is ever taken out.
 *
 * I1 Events of a partition keep their order, and have growing sequence numbers and offsets.
 * I2 Events with the same partition key are in the same partition.
 * I3 A reader begins where its selector says, and gets what comes later as it comes.
 * I4 Of the readers of a consumer group and a partition that have an epoch, the one with the highest stays.
 */
import type { Clock } from '@switchyard/kernel';
import type { Message } from 'rhea';

export interface HubEvent {
  /** From 0. */
  readonly sequence: number;
  /** A text, as in the real thing: where the event lies in its partition. */
  readonly offset: string;
  readonly enqueuedAtMs: number;
  readonly message: Message;
}

/** A reader of one partition that wants to be the only one, or not to be left without others. */
export interface HubReader {
  readonly epoch: number | undefined;
  /** Somebody with a higher epoch has come. */
  steal(): void;
}

/** Bytes that an event is taken to fill, so that offsets are no sequence numbers. */
const eventBytes = 64;

export class AmqpEventHub {
  readonly name: string;
  readonly createdAtMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #partitions: readonly HubEvent[][];
  readonly #observers = new Set<() => void>();
  readonly #readers = new Map<string, Set<HubReader>>();
  #turn = 0;

  constructor(clock: Pick<Clock, 'now'>, name: string, partitionCount: number) {
    this.name = name;
    this.#clock = clock;
    this.createdAtMs = clock.now();
    this.#partitions = Array.from({ length: partitionCount }, () => []);
  }

  get partitionIds(): readonly string[] {
    return this.#partitions.map((_, index) => String(index));
  }

  events(partitionId: string): readonly HubEvent[] {
    return this.#partitions[Number(partitionId)] ?? [];
  }

  /** Appends to the partition that is named, or that the key falls to, or to the next one. */
  append(message: Message, partitionId?: string): void {
    const events = this.#partitions[this.#choose(message, partitionId)];
    if (events === undefined) return;
    const sequence = events.length;
    const offset = String(sequence * eventBytes);
    events.push({ sequence, offset, enqueuedAtMs: this.#clock.now(), message });
    for (const observer of [...this.#observers]) observer();
  }

  watch(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** False when somebody with a higher epoch reads already. The others with a lower one, or none, have to go. */
  join(consumerGroup: string, partitionId: string, reader: HubReader): boolean {
    const place = `${consumerGroup}/${partitionId}`;
    const present = this.#readers.get(place) ?? new Set<HubReader>();
    this.#readers.set(place, present);
    const highest = Math.max(...[...present].map(({ epoch }) => epoch ?? -1), -1);
    if ((reader.epoch ?? -1) < highest) return false;
    if (reader.epoch !== undefined)
      for (const other of [...present]) {
        present.delete(other);
        other.steal();
      }
    present.add(reader);
    return true;
  }

  leave(consumerGroup: string, partitionId: string, reader: HubReader): void {
    this.#readers.get(`${consumerGroup}/${partitionId}`)?.delete(reader);
  }

  /**
   * The sequence number from which a selector reads, for example `amqp.annotation.x-opt-offset > '128'`; without one, the
   * oldest event. Undefined when it is no selector that is known here.
   */
  begin(partitionId: string, selector: string | undefined): number | undefined {
    const events = this.events(partitionId);
    if (selector === undefined) return 0;
    const [, kind, operator, value = ''] =
      /^amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) '([^']*)'$/.exec(selector) ?? [];
    if (kind === undefined) return undefined;
    if (value === '@latest') return events.length;
    const wanted = Number(value);
    const measure = (event: HubEvent): number => {
      if (kind === 'offset') return Number(event.offset);
      return kind === 'enqueued-time' ? event.enqueuedAtMs : event.sequence;
    };
    const found = events.findIndex((event) => (operator === '>=' ? measure(event) >= wanted : measure(event) > wanted));
    return found === -1 ? events.length : found;
  }

  #choose(message: Message, partitionId: string | undefined): number {
    if (partitionId !== undefined) return Number(partitionId);
    const key: unknown = message.message_annotations?.['x-opt-partition-key'];
    if (key !== undefined && key !== null) return hash(String(key)) % this.#partitions.length;
    this.#turn += 1;
    return this.#turn % this.#partitions.length;
  }
}

/** Any hash will do: only that the same key falls to the same partition is promised. */
function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at += 1) value = (Math.imul(value, 31) + text.charCodeAt(at)) >>> 0;
  return value;
}
