/**
 * Hears a channel, and runs the function for each message, one after the other.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost, through the trigger kind.
 *
 * I1 Messages are run one at a time, in their order. Redis keeps none: what is said while nobody hears is gone.
 * I2 No more than `maxWaiting` messages wait; what comes beyond them is dropped, with one warning for each time that this begins.
 * I3 A server that is away costs one warning and is asked again, later and later.
 * I4 `drain` hears nothing new and runs what waits; `close` drops it.
 */
import { BoundedQueue, backoffMs, settlesWithin, sleep } from '@switchyard/kernel';
import { aborted } from '../aborted.ts';
import type { ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { ListenerLife, reconnectBackoff } from '../listener-life.ts';
import { OutageLog } from '../storage/outage-log.ts';
import type { RedisConnection, RedisService, RedisSession } from './redis-client.ts';

export interface RedisChannelOptions {
  readonly connection: RedisConnection;
  readonly channel: string;
  readonly isPattern: boolean;
}

/** Messages that wait for those before them. */
export const maxWaiting = 10_000;

const closeMs = 2_000;

export class RedisChannelListener implements TriggerListener {
  readonly #service: RedisService;
  readonly #options: RedisChannelOptions;
  readonly #context: ListenerContext;
  readonly #toEvent: (channel: string, message: Uint8Array) => TriggerEvent;
  readonly #life = new ListenerLife();
  readonly #waiting = new BoundedQueue<TriggerEvent>(maxWaiting);
  readonly #outage: OutageLog;
  #running: Promise<void> | undefined;
  #session: RedisSession | undefined;

  constructor(
    service: RedisService,
    options: RedisChannelOptions,
    context: ListenerContext,
    toEvent: (channel: string, message: Uint8Array) => TriggerEvent,
  ) {
    this.#service = service;
    this.#options = options;
    this.#context = context;
    this.#toEvent = toEvent;
    this.#outage = new OutageLog(context.log, {
      began: 'A channel of Redis cannot be heard; the host tries again',
      ended: 'A channel of Redis can be heard again',
      fields: { category: 'Host.Triggers.Redis', function: context.functionName, channel: options.channel },
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#life.start(signal, (stop) => this.#listen(stop));
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#life.drain(signal, () => this.#running);
    await this.close();
  }

  async close(): Promise<void> {
    this.#life.close();
    await this.#closeSession();
  }

  async #listen(stop: AbortSignal): Promise<void> {
    const { clock, random } = this.#context;
    const { connection, channel, isPattern } = this.#options;
    for (let failures = 0; !stop.aborted; failures += 1) {
      try {
        this.#session = await this.#service.open(connection);
        await this.#session.subscribe(channel, isPattern, (name, message) => this.#hear(name, message, stop));
        this.#outage.succeeded();
        failures = 0;
        const lost = await Promise.race([this.#session.ended, aborted(stop)]);
        if (lost !== undefined) this.#outage.failed(lost);
      } catch (thrown) {
        if (!stop.aborted) this.#outage.failed(thrown);
      }
      await this.#closeSession();
      await sleep(clock, backoffMs(reconnectBackoff, failures, random), stop).catch(() => {});
    }
  }

  #hear(channel: string, message: Uint8Array, stop: AbortSignal): void {
    if (stop.aborted) return;
    const wasFull = this.#waiting.isFull;
    if (!this.#waiting.offer(this.#toEvent(channel, message)) || wasFull) return;
    if (this.#waiting.isFull) {
      const fields = { category: 'Host.Triggers.Redis', channel: this.#options.channel, limit: maxWaiting };
      this.#context.log.write(
        'warning',
        'Too many messages of a channel wait; more are dropped until there is room',
        fields,
      );
    }
    this.#running ??= this.#runAll();
  }

  async #runAll(): Promise<void> {
    for (;;) {
      const event = this.#life.isClosed ? undefined : this.#waiting.poll();
      if (event === undefined) break;
      await this.#context.invoke(event);
    }
    this.#running = undefined;
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) await settlesWithin(this.#context.clock, closeMs, session.close());
  }
}
