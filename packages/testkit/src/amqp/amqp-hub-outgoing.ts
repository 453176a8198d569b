/** One reader of a client on a partition of an event hub: gives it what the log has, as far as its credit goes. */
import rhea, { type Delivery } from 'rhea';
import type { AmqpEventHub, HubReader } from './amqp-event-hub.ts';
import type { OutgoingLink, PeerOutgoing } from './amqp-outgoing.ts';

/** `<hub>/ConsumerGroups/<group>/Partitions/<id>`. */
const addressPattern = /^(.+)\/consumergroups\/([^/]+)\/partitions\/(\d+)$/i;

const selectorFilter = 'apache.org:selector-filter:string';
const epochProperty = 'com.microsoft:epoch';

/** Where in which hub an address reads. */
export interface HubPlace {
  readonly hub: string;
  readonly consumerGroup: string;
  readonly partitionId: string;
}

export function readHubPlace(address: string): HubPlace | undefined {
  const [, hub, consumerGroup, partitionId] = addressPattern.exec(address) ?? [];
  if (hub === undefined || consumerGroup === undefined || partitionId === undefined) return undefined;
  return { hub, consumerGroup, partitionId };
}

const stolen = { condition: 'amqp:link:stolen', description: 'A receiver with a higher epoch has connected.' };

export class AmqpHubOutgoing implements PeerOutgoing, HubReader {
  readonly epoch: number | undefined;
  readonly #link: OutgoingLink;
  readonly #hub: AmqpEventHub;
  readonly #place: HubPlace;
  readonly #unwatch: () => void;
  #next: number;

  /** Closes the link with the reason when it cannot read. */
  constructor(link: OutgoingLink, hub: AmqpEventHub, place: HubPlace) {
    this.#link = link;
    this.#hub = hub;
    this.#place = place;
    const epoch: unknown = (link.properties as Record<string, unknown> | undefined)?.[epochProperty];
    this.epoch = epoch === undefined || epoch === null ? undefined : Number(epoch);
    const begin = hub.partitionIds.includes(place.partitionId)
      ? hub.begin(place.partitionId, selectorOf(link))
      : undefined;
    this.#next = begin ?? 0;
    this.#unwatch = hub.watch(() => this.pump());
    if (begin === undefined) this.#refuse('amqp:invalid-field', 'The partition or the filter is not known here.');
    else if (!hub.join(place.consumerGroup, place.partitionId, this))
      this.#refuse(stolen.condition, stolen.description);
  }

  pump(): void {
    const events = this.#hub.events(this.#place.partitionId);
    while (this.#link.is_open() && this.#link.sendable()) {
      const event = events[this.#next];
      if (event === undefined) break;
      this.#next += 1;
      this.#link.send({
        ...event.message,
        message_annotations: {
          ...event.message.message_annotations,
          'x-opt-sequence-number': rhea.types.wrap_long(event.sequence),
          'x-opt-offset': event.offset,
          'x-opt-enqueued-time': rhea.types.wrap_timestamp(event.enqueuedAtMs),
        },
      });
    }
    this.#link.set_drained(true);
  }

  /** Reading takes nothing out, so there is nothing to do but to agree. */
  settle(delivery: Delivery): void {
    delivery.update(true, undefined);
  }

  close(): void {
    this.#unwatch();
    this.#hub.leave(this.#place.consumerGroup, this.#place.partitionId, this);
  }

  steal(): void {
    this.#refuse(stolen.condition, stolen.description);
  }

  #refuse(condition: string, description: string): void {
    this.#unwatch();
    this.#link.close({ condition, description });
  }
}

function selectorOf(link: OutgoingLink): string | undefined {
  const filter: unknown = (link.source?.filter as Record<string, unknown> | undefined)?.[selectorFilter];
  if (filter === undefined || filter === null) return undefined;
  // The value of a described type, or the text itself.
  return typeof filter === 'object' && 'value' in filter ? String(filter.value) : String(filter);
}
