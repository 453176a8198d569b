/**
 * Who wants to know that an app changed. Level-triggered: a call says "look again", never what happened.
 *
 * I1 After a change every observer is called with the app, once the change can be read; several changes that wait may
 *    come as one call.
 * I2 An observer that throws, or that changes the catalog itself, keeps nobody from being called.
 * I3 After unsubscribing, or after `end`, no call comes any more.
 */
import { type Log, messageOf } from '@switchyard/kernel';

type Observer = (key: string) => void;

export class CatalogChanges {
  readonly #log: Log;
  readonly #observers = new Set<Observer>();
  readonly #waiting = new Set<string>();
  #isDelivering = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Subscribes, and calls the observer at once for each of `first`. Returns the unsubscriber. */
  watch(observer: Observer, first: readonly string[] = []): () => void {
    // A function of its own, so that one observer may subscribe twice.
    const own: Observer = (key) => observer(key);
    this.#observers.add(own);
    for (const key of first) this.#call(own, key);
    return () => {
      this.#observers.delete(own);
    };
  }

  announce(key: string): void {
    this.#waiting.add(key);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      for (const observer of [...this.#observers]) this.#call(observer, next);
    }
    this.#isDelivering = false;
  }

  end(): void {
    this.#observers.clear();
    this.#waiting.clear();
  }

  #call(observer: Observer, key: string): void {
    if (!this.#observers.has(observer)) return;
    try {
      observer(key);
    } catch (thrown) {
      this.#log.write('error', 'An observer of the catalog failed', { key, error: messageOf(thrown) });
    }
  }
}
