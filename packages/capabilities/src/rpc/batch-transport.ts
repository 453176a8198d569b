/**
 * capnweb within one HTTP request: everything that the peer sends is there at once, and everything for it leaves as one answer.
 *
 * I1 `received` resolves once the last message of the peer was read, and rejects when the session ends before.
 * I2 The answer holds what was sent, in order.
 */
import type { RpcTransport } from 'capnweb';

export class BatchTransport implements RpcTransport {
  readonly received: Promise<void>;
  readonly #messages: Iterator<string>;
  readonly #sent: string[] = [];
  #settle: { resolve(): void; reject(reason: unknown): void } = { resolve: () => {}, reject: () => {} };

  constructor(messages: readonly string[]) {
    this.#messages = messages.values();
    this.received = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever serves the batch may have given it up before.
    this.received.catch(() => {});
  }

  /** What the peer gets, one message per line. */
  get answer(): string {
    return this.#sent.join('\n');
  }

  send(message: string): void {
    this.#sent.push(message);
  }

  receive(): Promise<string> {
    const next = this.#messages.next();
    if (next.done !== true) return Promise.resolve(next.value);
    this.#settle.resolve();
    // The peer says nothing more, and its connection tells when it has gone.
    return new Promise(() => {});
  }

  abort(reason: unknown): void {
    this.#settle.reject(reason);
  }
}
