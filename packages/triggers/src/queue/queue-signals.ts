/**
 * Tells listeners that this process wrote to their queue, so that they look at once instead of waiting for their next
 * poll. A hint, never a promise: a queue has other writers too.
 *
 * I1 A listener is woken by writes to its own queue alone, and no more after it unsubscribed.
 */
export class QueueSignals {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls `wake` after every write to the queue, until the returned function is called. */
  subscribe(endpoint: string, queueName: string, wake: () => void): () => void {
    const key = keyOf(endpoint, queueName);
    const wakers = this.#listeners.get(key) ?? new Set();
    wakers.add(wake);
    this.#listeners.set(key, wakers);
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0) this.#listeners.delete(key);
    };
  }

  notify(endpoint: string, queueName: string): void {
    for (const wake of this.#listeners.get(keyOf(endpoint, queueName)) ?? []) wake();
  }
}

function keyOf(endpoint: string, queueName: string): string {
  return `${endpoint}/${queueName}`;
}
