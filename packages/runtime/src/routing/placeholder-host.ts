/**
 * The JobHost of the placeholders of one language: it has no functions and no listeners, only workers that wait for an app.
 *
 * Ownership: the PlaceholderHosts make it for the first placeholder of a language and forget it with the last one.
 */
import type { Worker } from '../worker-registry/worker.ts';

export class PlaceholderHost {
  /** As a JobHost's: `_Placeholder_<language>:1.0.0`. */
  readonly key: string;
  readonly #workers = new Set<Worker>();

  constructor(key: string) {
    this.key = key;
  }

  get workers(): readonly Worker[] {
    return [...this.#workers];
  }

  get isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  add(worker: Worker): void {
    this.#workers.add(worker);
  }

  delete(worker: Worker): void {
    this.#workers.delete(worker);
  }
}
