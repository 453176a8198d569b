/**
 * capnweb over a MessagePort of Node.js. The library's own transport never notices that the other thread died, so its
 * callers hang; this one watches the port's end.
 *
 * I1 The end of the other side rejects the session's pending and later calls at once, with the error of `lost`.
 * I2 Ending the session closes the port.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RpcTransportWithCustomEncoding } from 'capnweb';
import { MessageQueue } from './message-queue.ts';

export interface PortTransportOptions {
  /** What the calls of a lost session fail with. */
  lost(detail: string): Error;
}

export class PortTransport implements RpcTransportWithCustomEncoding {
  readonly encodingLevel = 'structuredClonable';
  readonly #port: MessagePort;
  readonly #options: PortTransportOptions;
  readonly #queue = new MessageQueue<unknown>();

  constructor(port: MessagePort, options: PortTransportOptions) {
    this.#options = options;
    this.#port = port;
    port.on('message', (message: unknown) => this.#queue.push(message));
    port.on('messageerror', (error) => this.lose(error.message));
    port.on('close', () => this.lose('the other thread ended'));
  }

  send(message: unknown): void {
    this.#port.postMessage(message);
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
    this.#port.close();
  }
}
