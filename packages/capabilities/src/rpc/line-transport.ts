/**
 * capnweb over bytes: one JSON message per line, on stdio, a pipe or a Unix socket.
 *
 * Ownership: the transport owns the stream from here on and destroys it when the session ends.
 *
 * I1 A line longer than `maxLineBytes` ends the session before it is held in memory as a whole.
 * I2 The end of the stream rejects the session's pending and later calls at once, with the error of `lost`.
 * I3 Messages survive any way of cutting the bytes.
 * I4 What is sent in one turn leaves in one write, in order.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { RpcTransport } from 'capnweb';
import { CapabilityError } from '../capability-error.ts';
import { afterThisTurn } from './after-this-turn.ts';
import { MessageQueue } from './message-queue.ts';

/** The two directions of a stream; a socket is both. */
export interface LineStreams {
  readonly input: Readable;
  readonly output: Writable;
}

export interface LineTransportOptions {
  readonly maxLineBytes: number;
  /** What the calls of a lost session fail with. */
  lost(detail: string): Error;
}

const newline = 0x0a;

export class LineTransport implements RpcTransport {
  readonly #queue = new MessageQueue<string>();
  readonly #streams: LineStreams;
  readonly #options: LineTransportOptions;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  #unsent = '';

  constructor(streams: LineStreams | Duplex, options: LineTransportOptions) {
    this.#streams = 'input' in streams ? streams : { input: streams, output: streams };
    this.#options = options;
    const { input, output } = this.#streams;
    input.on('data', (chunk: Buffer) => this.#read(chunk));
    input.on('end', () => this.lose('the stream ended'));
    input.on('close', () => this.lose('the stream was closed'));
    input.on('error', (error) => this.lose(error.message));
    if (!Object.is(input, output)) output.on('close', () => this.lose('the stream was closed'));
    output.on('error', (error) => this.lose(error.message));
  }

  send(message: string): void {
    if (this.#unsent === '') afterThisTurn(() => this.#flush());
    this.#unsent += `${message}\n`;
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
    this.#flush();
    // What is written already still leaves, the reason among it; then both directions are closed.
    this.#streams.output.end(() => this.#streams.input.destroy());
  }

  #flush(): void {
    const unsent = this.#unsent;
    this.#unsent = '';
    if (unsent !== '' && this.#streams.output.writable) this.#streams.output.write(unsent);
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      if (this.#heldBytes + end > this.#options.maxLineBytes) {
        this.#refuse();
        return;
      }
      this.#parts.push(rest.subarray(0, end));
      this.#queue.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#heldBytes = 0;
      rest = rest.subarray(end + 1);
    }
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes > this.#options.maxLineBytes) this.#refuse();
  }

  #refuse(): void {
    this.#parts = [];
    this.#heldBytes = 0;
    const message = `The peer sent a message of more than ${this.#options.maxLineBytes} bytes, which is the limit of this connection.`;
    this.#queue.fail(new CapabilityError('INVALID_PAYLOAD', message));
    this.#streams.input.destroy();
    this.#streams.output.destroy();
  }
}
