/**
 * Tells the scanner of blobs that this process wrote, so that it looks at them at once instead of at its next scan. A hint,
 * never a promise: containers have other writers too.
 *
 * I1 A listener hears of the blobs of its own container alone, and no more after it unsubscribed.
 */
export class BlobWrites {
  readonly #listeners = new Map<string, Set<(blob: string) => void>>();

  /** Calls `written` with the name of every blob that is written there, until the returned function is called. */
  subscribe(endpoint: string, container: string, written: (blob: string) => void): () => void {
    const key = keyOf(endpoint, container);
    const listeners = this.#listeners.get(key) ?? new Set();
    listeners.add(written);
    this.#listeners.set(key, listeners);
    return () => {
      listeners.delete(written);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  notify(endpoint: string, container: string, blob: string): void {
    for (const written of [...(this.#listeners.get(keyOf(endpoint, container)) ?? [])]) written(blob);
  }
}

function keyOf(endpoint: string, container: string): string {
  return `${endpoint}/${container}`;
}
