/** Whoever waits for something to be ready on a subscription, within this process. */
export class WakeList {
  readonly #waiters = new Set<{ readonly subscriptionId: () => number | undefined; readonly waiter: () => void }>();

  /** A waiter that does not know its subscription yet wakes for all. The answer takes the waiter away. */
  add(subscriptionId: () => number | undefined, waiter: () => void): () => void {
    const entry = { subscriptionId, waiter };
    this.#waiters.add(entry);
    return () => this.#waiters.delete(entry);
  }

  wake(subscriptionId: number): void {
    for (const entry of [...this.#waiters]) {
      const own = entry.subscriptionId();
      if (own === undefined || own === subscriptionId) entry.waiter();
    }
  }
}
