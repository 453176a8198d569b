/**
 * What has been opened, in order, so that it can be closed in the opposite one.
 *
 * Ownership: whoever opens a part adds how it is closed; one `close` closes all.
 *
 * I1 Parts are closed one after the other, the last one opened first.
 * I2 A part that fails to close is logged and keeps no other from being closed.
 * I3 Closing again joins the first time; what is added after that is closed at once.
 */
import { type Log, messageOf } from '@switchyard/kernel';

interface Part {
  readonly name: string;
  readonly close: () => Promise<void>;
}

export class Closers {
  readonly #log: Log;
  readonly #parts: Part[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#parts.push({ name, close });
    if (this.#closing !== undefined) this.#closing = this.#closing.then(() => this.#closeParts());
  }

  /** True from the first `close` on. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeParts();
    return this.#closing;
  }

  async #closeParts(): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        this.#log.write('error', 'A part did not close', { part: part.name, error: messageOf(error) });
      }
    }
  }
}
