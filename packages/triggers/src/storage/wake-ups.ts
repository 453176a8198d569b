/**
 * Tells those who wait that this process changed what they wait for, so that they look at once instead of at their next
 * poll. A hint, never a promise: what lies in storage has other writers too.
 *
 * I1 A waiter is woken for its own key alone, and no more after it unsubscribed.
 */
export class WakeUps {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Calls `wake` at every `notify` of the key, until the returned function is called. */
  subscribe(key: string, wake: () => void): () => void {
    // Every subscription counts, also that of a function which waits twice.
    const waiter = (): void => wake();
    const waiters = this.#waiters.get(key) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(key, waiters);
    return () => {
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
    };
  }

  notify(key: string): void {
    for (const wake of [...(this.#waiters.get(key) ?? [])]) wake();
  }
}
