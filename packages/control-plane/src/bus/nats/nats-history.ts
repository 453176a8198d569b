/** What is remembered of the failed deliveries of an event: the last message of a subject of its own. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { FailedDelivery } from '../contract.ts';
import { parseHistory } from '../failure-history.ts';
import { historyStream } from './nats-names.ts';

/** What was written down of an event on a subscription. */
export interface DeliveryRecord {
  readonly failures: readonly FailedDelivery[];
  /** Deliveries that were none: the event was not due yet. */
  readonly postponed: number;
}

const nothing: DeliveryRecord = { failures: [], postponed: 0 };

export class NatsHistory {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;

  constructor(client: JetStreamClient, manager: JetStreamManager) {
    this.#client = client;
    this.#manager = manager;
  }

  async read(subject: string): Promise<DeliveryRecord> {
    const message = await this.#manager.streams.getMessage(historyStream, { last_by_subj: subject });
    if (message === null) return nothing;
    const [postponed = '0', ...rest] = message.string().split('\n');
    return { failures: parseHistory(rest.join('\n')), postponed: Number(postponed) };
  }

  async write(subject: string, { failures, postponed }: DeliveryRecord): Promise<void> {
    await this.#client.publish(subject, `${postponed}\n${JSON.stringify(failures)}`);
  }

  async forget(subject: string): Promise<void> {
    await this.#manager.streams.purge(historyStream, { filter: subject });
  }
}
