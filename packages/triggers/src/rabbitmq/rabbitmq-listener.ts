/**
 * Takes the messages of a queue and runs the function for each of them.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost, through the trigger kind; each listener has a
 * connection of its own.
 *
 * I1 A message is settled exactly once, after its function has ended, on the line that brought it; when that line is gone the
 *    broker has given the message to somebody already.
 * I2 No more than `prefetchCount` functions run at once for each worker of the app.
 * I3 A function that fails sees its message again, counted in a header, and the fifth failure makes it a dead letter. The copy
 *    is safe at the broker before the message is acknowledged.
 * I4 A broker that is away, or has no such queue, costs one warning and is asked again, later and later.
 * I5 `drain` takes nothing new and waits for what runs; `close` waits for nothing, and what runs comes again.
 */
import { backoffMs, messageOf, settlesWithin, sleep, TransientSet } from '@switchyard/kernel';
import type { BindingDataType } from '@switchyard/model';
import { aborted } from '../aborted.ts';
import type { Backlog, ListenerContext, TriggerListener } from '../contract.ts';
import { ListenerLife, reconnectBackoff } from '../listener-life.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { decideDelivery } from './delivery-decision.ts';
import type { RabbitMqConnection, RabbitMqConsumer, RabbitMqMessage, RabbitMqService } from './rabbitmq-client.ts';
import { toRabbitMqEvent } from './rabbitmq-event.ts';

export interface RabbitMqTriggerOptions {
  readonly connection: RabbitMqConnection;
  readonly queue: string;
  readonly prefetchCount: number;
  readonly dataType: BindingDataType | undefined;
}

/** AMQP counts no further. */
const mostUnsettled = 65_535;

/** On a dead line closing may take for ever. */
const closeMs = 2_000;

/** How long a message is kept that nobody could run, so that it does not come back at once. */
const giveBackMs = 1_000;

export class RabbitMqListener implements TriggerListener {
  readonly #service: RabbitMqService;
  readonly #options: RabbitMqTriggerOptions;
  readonly #context: ListenerContext;
  readonly #outage: OutageLog;
  readonly #life = new ListenerLife();
  readonly #running = new TransientSet<Promise<void>>();
  readonly #consumers = new Set<RabbitMqConsumer>();
  /** What the broker was told last. */
  #prefetched = 0;

  constructor(service: RabbitMqService, options: RabbitMqTriggerOptions, context: ListenerContext) {
    this.#service = service;
    this.#options = options;
    this.#context = context;
    this.#outage = new OutageLog(context.log, {
      began: 'Messages of RabbitMQ cannot be received; the host tries again',
      ended: 'Messages of RabbitMQ can be received again',
      fields: { category: 'Host.Triggers.RabbitMQ', function: context.functionName, queue: options.queue },
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#life.start(signal, (stop) => this.#listen(stop));
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#life.drain(signal, () => Promise.all(this.#running));
    await this.close();
  }

  async backlog(): Promise<Backlog | undefined> {
    const [consumer] = this.#consumers;
    if (consumer === undefined) return undefined;
    if (this.#life.isListening) await this.#fit(consumer);
    return { messageCount: await consumer.countWaiting(), oldestMs: undefined };
  }

  async close(): Promise<void> {
    this.#life.close();
    await Promise.all([...this.#consumers].map((consumer) => this.#closeConsumer(consumer)));
  }

  /** Takes messages until it is told to stop. */
  async #listen(stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted; failures += 1) {
      try {
        const lost = await this.#consume(stop, () => {
          failures = 0;
        });
        if (lost !== undefined) this.#outage.failed(lost);
      } catch (thrown) {
        if (!stop.aborted) this.#outage.failed(thrown);
      }
      const { clock, random } = this.#context;
      await sleep(clock, backoffMs(reconnectBackoff, failures, random), stop).catch(() => {});
    }
  }

  /** One line to the broker. Resolves with why it broke, or with nothing when it was told to stop. */
  async #consume(stop: AbortSignal, opened: () => void): Promise<Error | undefined> {
    const { connection, queue } = this.#options;
    this.#prefetched = this.#wanted;
    // Messages may come before it is known whose they are.
    const early: RabbitMqMessage[] = [];
    let take = (message: RabbitMqMessage): void => void early.push(message);
    const consumer = await this.#service.consume(connection, queue, this.#prefetched, (message) => take(message));
    if (this.#life.isClosed) {
      await this.#closeConsumer(consumer);
      return undefined;
    }
    this.#consumers.add(consumer);
    this.#outage.succeeded();
    opened();
    take = (message) => this.#take(consumer, message, stop);
    for (const message of early) take(message);
    const lost = await Promise.race([consumer.ended, aborted(stop)]);
    if (lost === undefined) await consumer.cancel().catch(() => {});
    else await this.#closeConsumer(consumer);
    return lost ?? undefined;
  }

  /** The unsettled messages that all workers of the app may have together. */
  get #wanted(): number {
    return Math.min(mostUnsettled, this.#options.prefetchCount * Math.max(1, this.#context.workerCount?.() ?? 1));
  }

  /** Workers may have come or gone since the line was opened. */
  async #fit(consumer: RabbitMqConsumer): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === this.#prefetched) return;
    this.#prefetched = wanted;
    await consumer.resize(wanted);
  }

  #take(consumer: RabbitMqConsumer, message: RabbitMqMessage, stop: AbortSignal): void {
    const run = this.#run(consumer, message, stop).catch((thrown) => this.#unsettled(thrown));
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  async #run(consumer: RabbitMqConsumer, message: RabbitMqMessage, stop: AbortSignal): Promise<void> {
    // What was on its way when the listener was told to stop.
    if (stop.aborted) return consumer.giveBack(message);
    const { queue, dataType } = this.#options;
    const { clock } = this.#context;
    const outcome = await this.#context.invoke(toRabbitMqEvent(message, queue, dataType, clock.now()));
    const decision = decideDelivery(outcome, message.properties);
    switch (decision.kind) {
      case 'acknowledge':
        return consumer.acknowledge(message);
      case 'reject':
        return consumer.reject(message);
      case 'republish':
        await consumer.republish(message, decision.headers);
        return consumer.acknowledge(message);
      case 'give-back':
        await sleep(clock, giveBackMs, stop).catch(() => {});
        return consumer.giveBack(message);
    }
  }

  async #closeConsumer(consumer: RabbitMqConsumer): Promise<void> {
    this.#consumers.delete(consumer);
    await settlesWithin(this.#context.clock, closeMs, consumer.close());
  }

  #unsettled(thrown: unknown): void {
    const fields = { category: 'Host.Triggers.RabbitMQ', queue: this.#options.queue, reason: messageOf(thrown) };
    this.#context.log.write('warning', 'A message could not be settled; it will come again', fields);
  }
}
