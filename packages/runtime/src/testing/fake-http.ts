import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { createDeferred } from '@switchyard/kernel';
import type { Runtime } from '../contract.ts';

export interface FakeRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface FakeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that is under way, without a socket. */
export interface FakeCall {
  readonly reply: Promise<FakeReply>;
  /** The caller goes away. */
  abort(): void;
}

/** Hands a request to the Runtime. */
export function call(runtime: Pick<Runtime, 'handleRequest'>, url: string, given: FakeRequest = {}): FakeCall {
  const body = given.body === undefined ? undefined : Buffer.from(given.body);
  const headers: Record<string, string> = { host: 'sample.localhost', ...given.headers };
  if (body !== undefined && !('transfer-encoding' in headers)) headers['content-length'] = String(body.byteLength);
  const request = Object.assign(Readable.from(body === undefined ? [] : [body]), {
    method: given.method ?? 'GET',
    url,
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: {},
    complete: true,
  });
  const response = new FakeResponse(given.method ?? 'GET');
  runtime.handleRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  return {
    reply: response.reply,
    abort: () => {
      request.destroy();
      response.destroy();
    },
  };
}

class FakeResponse extends Writable {
  headersSent = false;
  readonly req: { readonly method: string };
  readonly #reply = createDeferred<FakeReply>();
  readonly reply = this.#reply.promise;
  readonly #chunks: Uint8Array[] = [];
  #status = 0;
  #headers: Record<string, string> = {};

  constructor(method: string) {
    super();
    this.req = { method };
  }

  writeHead(status: number, reasonOrFlat: string | readonly string[], headers: readonly string[] = []): void {
    const flat = typeof reasonOrFlat === 'string' ? headers : reasonOrFlat;
    this.headersSent = true;
    this.#status = status;
    for (let index = 0; index < flat.length; index += 2) {
      const name = String(flat[index]).toLowerCase();
      const value = String(flat[index + 1]);
      this.#headers[name] = name in this.#headers ? `${this.#headers[name]}, ${value}` : value;
    }
  }

  flushHeaders(): void {}

  addTrailers(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.#reply.resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks).toString() });
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#reply.reject(error ?? new Error('the connection was reset'));
    done(error);
  }
}
