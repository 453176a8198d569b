/**
 * capnweb over a MessagePort of Node.js. The library's own transport never notices that the other thread died, so its
 * callers hang; this one watches the port's end.
 *
 * I1 The end of the other side rejects the session's pending and later calls at once, with the error of `lost`.
 * I2 Ending the session closes the port.
 * I3 With `batches`, what is sent in one turn leaves as one message, in order. Without, batches are understood, and sent as soon
 *    as the other side has sent one.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RpcTransportWithCustomEncoding } from 'capnweb';
import { afterThisTurn } from './after-this-turn.ts';
import { MessageQueue } from './message-queue.ts';

export interface PortTransportOptions {
  /** What the calls of a lost session fail with. */
  lost(detail: string): Error;
  /**
   * Sends batches from the beginning: only where the other side is this transport, too. A call takes up to three messages,
   * and each wakes a thread.
   */
  readonly batches?: boolean;
}

export class PortTransport implements RpcTransportWithCustomEncoding {
  readonly encodingLevel = 'structuredClonable';
  readonly #port: MessagePort;
  readonly #options: PortTransportOptions;
  readonly #queue = new MessageQueue<unknown>();
  #unsent: unknown[] = [];
  #batches: boolean;

  constructor(port: MessagePort, options: PortTransportOptions) {
    this.#options = options;
    this.#batches = options.batches === true;
    this.#port = port;
    port.on('message', (message: unknown) => this.#read(message));
    port.on('messageerror', (error) => this.lose(error.message));
    port.on('close', () => this.lose('the other thread ended'));
  }

  send(message: unknown): void {
    if (!this.#batches) {
      this.#port.postMessage(message);
      return;
    }
    this.#unsent.push(message);
    if (this.#unsent.length === 1) afterThisTurn(() => this.#flush());
  }

  receive(): Promise<unknown> {
    return this.#queue.take();
  }

  /** Ends the session because its peer is known to be gone. */
  lose(detail: string): void {
    this.#queue.fail(this.#options.lost(detail));
  }

  abort(reason: unknown): void {
    this.#queue.fail(reason);
    this.#flush();
    this.#port.close();
  }

  #flush(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    if (unsent.length > 0) this.#port.postMessage(unsent.length === 1 ? unsent[0] : unsent);
  }

  /** A message is a list that begins with a word, a batch one that begins with a message. */
  #read(message: unknown): void {
    if (!Array.isArray(message) || !Array.isArray(message[0])) {
      this.#queue.push(message);
      return;
    }
    this.#batches = true;
    for (const each of message) this.#queue.push(each);
  }
}
