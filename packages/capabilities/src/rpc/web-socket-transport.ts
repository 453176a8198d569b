/**
 * capnweb over a WebSocket of the `ws` package, on either side.
 *
 * I1 The end of the connection rejects the session's pending and later calls at once, with the error of `lost`.
 * I2 Messages sent before the connection stands leave in order once it does.
 */
import type { RpcTransport } from 'capnweb';
import type { WebSocket } from 'ws';
import { MessageQueue } from './message-queue.ts';

export interface WebSocketTransportOptions {
  /** What the calls of a lost session fail with. */
  lost(detail: string): Error;
}

/** The state of a `ws` socket whose connection does not stand yet. */
const connecting = 0;

/** A close code for applications; the reason travels in the abort message before it. */
const sessionEnded = 3000;

export class WebSocketTransport implements RpcTransport {
  readonly #socket: WebSocket;
  readonly #options: WebSocketTransportOptions;
  readonly #queue = new MessageQueue<string>();
  #unsent: string[] | undefined;

  constructor(socket: WebSocket, options: WebSocketTransportOptions) {
    this.#options = options;
    this.#socket = socket;
    if (socket.readyState === connecting) {
      this.#unsent = [];
      socket.on('open', () => this.#sendWaiting());
    }
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.lose('a binary message came, and every message is text');
      else this.#queue.push(data.toString());
    });
    socket.on('close', (code, reason) => this.lose(`closed with ${code} ${reason}`.trimEnd()));
    socket.on('error', (error) => this.lose(error.message));
  }

  send(message: string): void {
    if (this.#unsent === undefined) this.#socket.send(message, ignoreFailure);
    else this.#unsent.push(message);
  }

  receive(): Promise<string> {
    return this.#queue.take();
  }

  /** Ends the session because its peer is known to be gone. */
  lose(detail: string): void {
    this.#queue.fail(this.#options.lost(detail));
  }

  abort(reason: unknown): void {
    this.#queue.fail(reason);
    if (this.#socket.readyState === connecting) this.#socket.terminate();
    else this.#socket.close(sessionEnded);
  }

  #sendWaiting(): void {
    const unsent = this.#unsent ?? [];
    this.#unsent = undefined;
    for (const message of unsent) this.#socket.send(message, ignoreFailure);
  }
}

/** A failed write is followed by `close`, which is what ends the session. */
function ignoreFailure(): void {}
