/** A service of Azure over TLS on this machine, for tests: it asks who is there before it answers, and throttles when told to. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface AzureRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

export interface AzureReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export abstract class ScriptedAzure {
  abstract readonly token: string;
  readonly asked: string[] = [];
  /** How many of the next requests are throttled. */
  throttled = 0;
  readonly #server: Server;

  constructor(tls: { readonly certificate: string; readonly key: string }) {
    this.#server = createServer({ cert: tls.certificate, key: tls.key }, (request, response) => {
      const { method = '', url = '', headers } = request;
      const { pathname: path, searchParams: query } = new URL(url, 'https://azure');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const asked = { method, path, query, text: Buffer.concat(chunks).toString() };
        const reply = this.#reply(asked, headers.authorization);
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.url;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Answers somebody who has shown the token. */
  protected abstract answer(request: AzureRequest): AzureReply;

  /** What whoever shows no good token is answered with. */
  protected get denial(): AzureReply {
    return { status: 401, body: problem('Unauthenticated') };
  }

  #reply(request: AzureRequest, authorization: string | undefined): AzureReply {
    this.asked.push(`${request.method} ${request.path}`);
    if (authorization !== `Bearer ${this.token}`) return this.denial;
    if (this.throttled === 0) return this.answer(request);
    this.throttled -= 1;
    return { status: 429, body: problem('TooManyRequests'), headers: { 'retry-after': '0' } };
  }
}

/** The body of an error. */
export function problem(code: string): object {
  return { error: { code, message: `${code} it is` } };
}
