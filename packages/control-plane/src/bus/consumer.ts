/**
 * The loop of a subscription's consumer: takes events, runs the handler on several at once, holds their locks while it
 * runs, and settles each by its verdict.
 *
 * Ownership: it owns its receiver; whoever starts it stops it.
 *
 * I1 At most `concurrency` handlers run at once, and nothing is taken that no handler is free for.
 * I2 A lock is renewed while its handler runs; when it is lost, the handler's signal fires and nothing is settled.
 * I3 `done` completes, `retry` and a throw wait for the next delivery, `refuse` makes a dead letter at once.
 * I4 A failing bus is asked again after growing waits; the loop never ends by itself.
 * I5 `stop` takes nothing more and waits for what runs; what is not done by the deadline is aborted and given back.
 */
import {
  assertNever,
  backoffMs,
  type Clock,
  createDeferred,
  type Log,
  messageOf,
  type Random,
  settlesWithin,
  sleep,
  type Timer,
} from '@switchyard/kernel';
import type { Bus, Consumer, Delivery, EventHandler, HandlerVerdict } from './contract.ts';
import { busReasons } from './failure-history.ts';

export interface ConsumerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bus: Pick<Bus, 'openReceiver'>;
}

export interface ConsumerOptions {
  readonly topic: string;
  readonly subscription: string;
  /** Handlers at once; 1 unless told otherwise. */
  readonly concurrency?: number;
  /** How long one look at the bus waits for the first event. */
  readonly waitMs?: number;
}

const defaultWaitMs = 30_000;
const waits = { minimumMs: 250, maximumMs: 30_000, factor: 2, jitter: 0.5 };

/** Starts a consumer. */
export function startConsumer(deps: ConsumerDeps, options: ConsumerOptions, handler: EventHandler): Consumer {
  return new ConsumerLoop(deps, options, handler);
}

class ConsumerLoop implements Consumer {
  readonly #deps: ConsumerDeps;
  readonly #options: ConsumerOptions;
  readonly #handler: EventHandler;
  readonly #running = new Set<Promise<void>>();
  /** Stops the taking. */
  readonly #stopping = new AbortController();
  /** Stops the handlers too. */
  readonly #ending = new AbortController();
  readonly #loop: Promise<void>;
  #freed = createDeferred<void>();

  constructor(deps: ConsumerDeps, options: ConsumerOptions, handler: EventHandler) {
    this.#deps = deps;
    this.#options = options;
    this.#handler = handler;
    this.#loop = this.#run();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    this.#freed.resolve();
    await this.#loop;
    const finished = Promise.all(this.#running);
    if (await settlesWithin(this.#deps.clock, deadlineMs, finished)) return;
    this.#ending.abort();
    await finished;
  }

  async #run(): Promise<void> {
    const { bus, clock, log, random } = this.#deps;
    const { topic, subscription, concurrency = 1, waitMs = defaultWaitMs } = this.#options;
    const { signal } = this.#stopping;
    const receiver = bus.openReceiver(topic, subscription);
    for (let failures = 0; !signal.aborted; ) {
      const free = concurrency - this.#running.size;
      if (free <= 0) {
        this.#freed = createDeferred<void>();
        await this.#freed.promise;
        continue;
      }
      try {
        for (const delivery of await receiver.receive({ max: free, waitMs, signal })) this.#start(delivery);
        failures = 0;
      } catch (thrown) {
        log.write('warning', 'Events could not be received; trying again', {
          topic,
          subscription,
          error: messageOf(thrown),
        });
        await sleep(clock, backoffMs(waits, failures, random), signal).catch(() => undefined);
        failures += 1;
      }
    }
    await receiver.close();
  }

  #start(delivery: Delivery): void {
    const run = this.#handle(delivery).finally(() => {
      this.#running.delete(run);
      this.#freed.resolve();
    });
    this.#running.add(run);
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { log } = this.#deps;
    const held = new HeldLock(this.#deps.clock, delivery);
    const stop = this.#ending.signal;
    const onStop = (): void => held.abort();
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) held.abort();
    const verdict = await this.#verdictOf(delivery, held.signal);
    held.release();
    stop.removeEventListener('abort', onStop);
    const { eventId, eventType, traceId, correlationId } = delivery.envelope;
    const { subscription } = delivery;
    const fields = { eventId, eventType, traceId, correlationId, subscription };
    try {
      if (held.isLost) {
        log.write('warning', 'The lock of an event was lost while it was handled; it will come again', fields);
        return;
      }
      if (stop.aborted && verdict.kind !== 'done') await delivery.abandon();
      else await this.#settle(delivery, verdict, fields);
    } catch (thrown) {
      log.write('warning', 'An event could not be settled; it will come again', {
        ...fields,
        error: messageOf(thrown),
      });
    }
  }

  async #verdictOf(delivery: Delivery, signal: AbortSignal): Promise<HandlerVerdict> {
    try {
      return await this.#handler(delivery, signal);
    } catch (thrown) {
      return { kind: 'retry', reason: busReasons.handlerFailed, description: messageOf(thrown) };
    }
  }

  async #settle(delivery: Delivery, verdict: HandlerVerdict, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const { log } = this.#deps;
    switch (verdict.kind) {
      case 'done':
        await delivery.complete();
        return;
      case 'retry': {
        const { reason, description, afterMs } = verdict;
        const outcome = await delivery.retry({ reason, description }, afterMs === undefined ? {} : { afterMs });
        const known = { ...fields, reason, description, deliveryCount: delivery.deliveryCount };
        if (outcome.kind === 'deadLettered') log.write('error', 'An event failed for the last time', known);
        else log.write('warning', 'An event failed and will be tried again', known);
        return;
      }
      case 'refuse': {
        const { reason, description } = verdict;
        await delivery.deadLetter({ reason, description });
        log.write('error', 'An event was refused', { ...fields, reason, description });
        return;
      }
      default:
        assertNever(verdict);
    }
  }
}

/** Renews a lock when half of it is over, and tells when it is lost. */
class HeldLock {
  readonly #clock: Clock;
  readonly #delivery: Delivery;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #isReleased = false;
  isLost = false;

  constructor(clock: Clock, delivery: Delivery) {
    this.#clock = clock;
    this.#delivery = delivery;
    this.#plan();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    this.#abort.abort();
  }

  release(): void {
    this.#isReleased = true;
    this.#timer?.cancel();
  }

  #plan(): void {
    const leftMs = this.#delivery.lockedUntilMs - this.#clock.now();
    this.#timer = this.#clock.schedule(Math.max(minimumRenewalMs, leftMs / 2), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    // A bus that cannot be asked may be asked again while the lock lasts.
    const settlement = await this.#delivery.renew().catch(() => undefined);
    if (this.#isReleased) return;
    if (settlement === 'lockLost' || this.#delivery.lockedUntilMs <= this.#clock.now()) {
      this.isLost = true;
      this.#abort.abort();
      return;
    }
    this.#plan();
  }
}

/** Renewals come no closer than this. */
const minimumRenewalMs = 100;
