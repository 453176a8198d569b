import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { createDeferred } from '@switchyard/kernel';
import type { Runtime } from '@switchyard/runtime';

/** One request through the gateway, without a socket. */
export async function ask(
  runtime: Pick<Runtime, 'handleRequest'>,
  url: string,
  host = 'localhost',
): Promise<{ status: number; body: string }> {
  const headers = { host };
  const request = Object.assign(Readable.from([]), {
    url,
    method: 'GET',
    headers,
    rawHeaders: ['host', host],
    socket: {},
    complete: true,
  });
  const response = new Answer();
  runtime.handleRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  return await response.reply;
}

class Answer extends Writable {
  headersSent = false;
  readonly req = { method: 'GET' };
  readonly #reply = createDeferred<{ status: number; body: string }>();
  #status = 0;
  #body = '';

  get reply(): Promise<{ status: number; body: string }> {
    return this.#reply.promise;
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
    this.#reply.resolve({ status: this.#status, body: this.#body });
    done();
  }
}
