/**
 * Messages of one session between the moment they arrive and the moment they are read.
 *
 * I1 Messages leave in the order in which they came.
 * I2 After `fail` what came before it is still read, and then every read rejects with the reason.
 * I3 Only the first reason counts.
 */
export class MessageQueue<Message> {
  #messages: Message[] = [];
  #waiting: { resolve(message: Message): void; reject(reason: unknown): void } | undefined;
  #failure: { readonly reason: unknown } | undefined;

  push(message: Message): void {
    if (this.#failure !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#messages.push(message);
    else waiting.resolve(message);
  }

  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  /** The next message. One reader at a time. */
  take(): Promise<Message> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift() as Message);
    if (this.#failure !== undefined) return Promise.reject(this.#failure.reason);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
