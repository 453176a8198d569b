/** HTTP requests without sockets, whose every answer is counted. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';

export interface SimulatedAnswer {
  readonly status: number;
  readonly body: string;
}

/** Who answers a request; called for every answer, also for a second one. */
export type OnAnswer = (answer: SimulatedAnswer) => void;

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** Sends one GET to whoever handles requests. */
export function sendRequest(handle: HandleRequest, host: string, url: string, onAnswer: OnAnswer): void {
  const request = Object.assign(Readable.from([]), {
    url,
    method: 'GET',
    headers: { host },
    rawHeaders: ['host', host],
    socket: {},
    complete: true,
  });
  const response = new SimulatedResponse(onAnswer);
  handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
}

class SimulatedResponse extends Writable {
  headersSent = false;
  readonly req = { method: 'GET' };
  readonly #onAnswer: OnAnswer;
  #status = 0;
  #body = '';

  constructor(onAnswer: OnAnswer) {
    super();
    this.#onAnswer = onAnswer;
  }

  writeHead(status: number): void {
    this.headersSent = true;
    this.#status = status;
  }

  flushHeaders(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#body += Buffer.from(chunk).toString('utf8');
    done();
  }

  override _final(done: () => void): void {
    this.#onAnswer({ status: this.#status, body: this.#body });
    done();
  }
}
