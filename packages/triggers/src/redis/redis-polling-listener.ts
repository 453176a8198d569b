/**
 * Takes entries of a list or a stream, and runs the function for each of them or for batches.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost, through the trigger kind; each listener has a line of
 * its own, and each line a taker of its own.
 *
 * I1 An entry is done with when its function has succeeded or failed, as the official extension has it; one that no worker could
 *    take is kept and run again, and one whose worker was lost is run again, five times at most.
 * I2 No more than `maxBatchSize` entries are in hand for each worker of the app. A full batch is followed by the next one at once,
 *    any other one after `pollingIntervalMs`.
 * I3 A server that is away costs one warning and is asked again, later and later.
 * I4 While entries are in hand the taker tells so in time, and nobody else takes them.
 * I5 `drain` takes nothing new and waits for what runs; what is still in hand then comes again to others. `close` waits for nothing.
 */
import { backoffMs, messageOf, settlesWithin, sleep, withDeadline } from '@switchyard/kernel';
import type { Backlog, InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { ListenerLife, reconnectBackoff } from '../listener-life.ts';
import { OutageLog } from '../storage/outage-log.ts';
import type { RedisConnection, RedisService, RedisSession } from './redis-client.ts';
import { keepMs, type RedisEntry, type RedisSource, type RedisSourceKind } from './redis-source.ts';

export interface RedisPollingOptions {
  readonly connection: RedisConnection;
  readonly pollingIntervalMs: number;
  readonly maxBatchSize: number;
  readonly isBatch: boolean;
}

/** On a dead line closing may take for ever. */
const closeMs = 2_000;

/** A server that says nothing for so long is away. */
const answerMs = 15_000;

/** How long an entry is kept that nobody could run. */
const holdMs = 1_000;

/** How often an entry may take its worker down. */
const maxLosses = 5;

/** The entries that are in hand at most, however many workers there are. */
const mostInHand = 1_000;

/** A line, who takes over it, and what is in hand. */
interface Line {
  readonly session: RedisSession;
  readonly source: RedisSource;
  readonly inHand: Set<RedisEntry>;
}

export class RedisPollingListener implements TriggerListener {
  readonly #service: RedisService;
  readonly #kind: RedisSourceKind;
  readonly #options: RedisPollingOptions;
  readonly #context: ListenerContext;
  readonly #outage: OutageLog;
  readonly #life = new ListenerLife();
  #line: Line | undefined;

  constructor(service: RedisService, kind: RedisSourceKind, options: RedisPollingOptions, context: ListenerContext) {
    this.#service = service;
    this.#kind = kind;
    this.#options = options;
    this.#context = context;
    this.#outage = new OutageLog(context.log, {
      began: 'Entries of Redis cannot be taken; the host tries again',
      ended: 'Entries of Redis can be taken again',
      fields: { category: 'Host.Triggers.Redis', function: context.functionName, source: kind.name },
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#life.start(signal, (stop) => this.#listen(stop));
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#life.drain(signal);
    await this.close();
  }

  async close(): Promise<void> {
    this.#life.close();
    if (this.#line !== undefined) await this.#leave(this.#line);
  }

  async backlog(): Promise<Backlog | undefined> {
    return this.#line === undefined ? undefined : this.#asked(this.#line.source.backlog());
  }

  /** Takes entries until it is told to stop. */
  async #listen(stop: AbortSignal): Promise<void> {
    const { clock, random } = this.#context;
    for (let failures = 0; !stop.aborted; failures += 1) {
      let line: Line | undefined;
      try {
        line = await this.#open();
        this.#outage.succeeded();
        failures = 0;
        await this.#poll(line, stop);
      } catch (thrown) {
        if (!stop.aborted) this.#outage.failed(thrown);
      }
      if (line !== undefined) await this.#leave(line);
      await sleep(clock, backoffMs(reconnectBackoff, failures, random), stop).catch(() => {});
    }
  }

  async #open(): Promise<Line> {
    const session = await this.#service.open(this.#options.connection);
    try {
      const source = await this.#asked(this.#kind.open(session, this.#context.random.uuid()));
      this.#line = { session, source, inHand: new Set() };
      return this.#line;
    } catch (thrown) {
      await session.close();
      throw thrown;
    }
  }

  async #poll(line: Line, stop: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const over = new AbortController();
    const keeping = this.#keep(line, AbortSignal.any([stop, over.signal]));
    try {
      while (!stop.aborted) {
        const most = this.#most;
        const kept = [...line.inHand];
        const taken = await this.#asked(line.source.take(most - kept.length));
        for (const entry of taken) line.inHand.add(entry);
        if (!stop.aborted) await this.#runAll(line, [...kept, ...taken]);
        const pauseMs = line.inHand.size > 0 ? holdMs : this.#options.pollingIntervalMs;
        if (taken.length < most) await Promise.race([sleep(clock, pauseMs, stop).catch(() => {}), line.session.ended]);
      }
    } finally {
      over.abort();
      await keeping;
    }
  }

  get #most(): number {
    return Math.min(mostInHand, this.#options.maxBatchSize * Math.max(1, this.#context.workerCount?.() ?? 1));
  }

  async #keep(line: Line, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await sleep(this.#context.clock, keepMs, stop).catch(() => {});
      if (stop.aborted) return;
      // A line that is over shows at the next take.
      await this.#asked(line.source.keep([...line.inHand])).catch(() => {});
    }
  }

  async #runAll(line: Line, entries: readonly RedisEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { isBatch, maxBatchSize } = this.#options;
    const size = isBatch ? maxBatchSize : 1;
    const batches = Array.from({ length: Math.ceil(entries.length / size) }, (_, at) =>
      entries.slice(at * size, (at + 1) * size),
    );
    await Promise.all(batches.map((batch) => this.#run(line, batch, this.#toEvent(batch))));
  }

  #toEvent(batch: readonly RedisEntry[]): TriggerEvent {
    const [first] = batch;
    return this.#options.isBatch || first === undefined ? this.#kind.toBatchEvent(batch) : this.#kind.toEvent(first);
  }

  async #run(line: Line, batch: readonly RedisEntry[], event: TriggerEvent): Promise<void> {
    const outcome = await this.#context.invoke(event);
    for (const entry of batch) line.inHand.delete(entry);
    const again = entriesToRunAgain(outcome, batch);
    for (const entry of again) line.inHand.add(entry);
    if (again.length > 0) return;
    if (outcome.kind === 'lost') this.#warn('Entries are given up that took their worker down again and again');
    try {
      await this.#asked(line.source.done(batch));
    } catch (thrown) {
      this.#warn('An entry could not be settled; it will come again', thrown);
    }
  }

  async #leave(line: Line): Promise<void> {
    if (this.#line === line) this.#line = undefined;
    const { clock } = this.#context;
    await settlesWithin(
      clock,
      closeMs,
      line.source.leave([...line.inHand]).catch(() => {}),
    );
    await settlesWithin(clock, closeMs, line.session.close());
  }

  #asked<T>(answer: Promise<T>): Promise<T> {
    return withDeadline(this.#context.clock, answerMs, answer, () => new Error(`no answer for ${answerMs} ms`));
  }

  #warn(message: string, thrown?: unknown): void {
    const reason = thrown === undefined ? {} : { reason: messageOf(thrown) };
    this.#context.log.write('warning', message, {
      category: 'Host.Triggers.Redis',
      source: this.#kind.name,
      ...reason,
    });
  }
}

/** Those that stay in hand. */
function entriesToRunAgain(outcome: InvocationOutcome, batch: readonly RedisEntry[]): readonly RedisEntry[] {
  if (outcome.kind === 'succeeded' || outcome.kind === 'failed') return [];
  const isLoss = outcome.kind === 'lost' && (outcome.reason === 'worker-lost' || outcome.reason === 'timeout');
  if (!isLoss) return batch;
  return batch.some(({ losses }) => losses + 1 >= maxLosses)
    ? []
    : batch.map((entry) => ({ ...entry, losses: entry.losses + 1 }));
}
