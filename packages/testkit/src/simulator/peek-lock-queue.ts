/**
 * A queue whose messages are lent: who receives one holds it until it completes it, gives it back, or its lock ends.
 *
 * Ownership: the world owns the queue. What goes against its contract is not thrown at the one who did it, who may be
 * the thing under test, but kept in `violations`.
 *
 * I1 A message that is lent is lent to nobody else; a lock that ends, or is given back, makes it available again.
 * I2 A delivery is settled once: a second settlement is a violation, one after its lock ended is ignored.
 * I3 A completed message is never delivered again.
 */
import type { Clock, Timer } from '@switchyard/kernel';

export interface PeekLockQueueOptions {
  /** How long a delivery may take. */
  readonly lockMs: number;
  /** How long a message that was given back stays away. */
  readonly redeliveryMs: number;
}

export interface Delivery {
  readonly messageId: string;
  /** 1 for the first delivery of the message. */
  readonly count: number;
  complete(): void;
  abandon(): void;
}

export class PeekLockQueue {
  readonly violations: string[] = [];
  readonly #clock: Clock;
  readonly #options: PeekLockQueueOptions;
  readonly #available: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #completed = new Set<string>();
  readonly #watchers = new Set<() => void>();
  /** Ends the lock of each delivery that is lent. */
  readonly #locks = new Set<() => void>();

  constructor(clock: Clock, options: PeekLockQueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Messages that were put in and are not completed. */
  get left(): readonly string[] {
    return [...this.#counts.keys()].filter((id) => !this.#completed.has(id));
  }

  hasCompleted(messageId: string): boolean {
    return this.#completed.has(messageId);
  }

  put(messageId: string): void {
    this.#counts.set(messageId, 0);
    this.#offer(messageId);
  }

  /** Lends the next message, or answers undefined when none is available. */
  receive(): Delivery | undefined {
    const messageId = this.#available.shift();
    if (messageId === undefined) return undefined;
    const count = (this.#counts.get(messageId) ?? 0) + 1;
    this.#counts.set(messageId, count);
    let state: 'lent' | 'completed' | 'abandoned' | 'expired' = 'lent';
    const expire = (): void => {
      state = 'expired';
      lock.cancel();
      this.#locks.delete(expire);
      this.#offer(messageId);
    };
    const lock: Timer = this.#clock.schedule(this.#options.lockMs, expire);
    this.#locks.add(expire);
    const settle = (as: 'completed' | 'abandoned'): boolean => {
      if (state === 'completed' || state === 'abandoned') {
        this.violations.push(`delivery ${count} of ${messageId} was ${state}, and then ${as} as well`);
      }
      if (state !== 'lent') return false;
      state = as;
      lock.cancel();
      this.#locks.delete(expire);
      return true;
    };
    return {
      messageId,
      count,
      complete: () => {
        if (settle('completed')) this.#completed.add(messageId);
      },
      abandon: () => {
        if (settle('abandoned')) this.#clock.schedule(this.#options.redeliveryMs, () => this.#offer(messageId));
      },
    };
  }

  /** Forgets who holds what, as a queue does that has failed over: what is worked on is delivered a second time. */
  loseLocks(): void {
    for (const expire of [...this.#locks]) expire();
  }

  /** Calls `onAvailable` whenever a message becomes available. Returns the unsubscriber. */
  watch(onAvailable: () => void): () => void {
    this.#watchers.add(onAvailable);
    return () => this.#watchers.delete(onAvailable);
  }

  #offer(messageId: string): void {
    this.#available.push(messageId);
    for (const onAvailable of [...this.#watchers]) onAvailable();
  }
}
