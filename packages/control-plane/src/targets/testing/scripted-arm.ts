/**
 * Azure Resource Manager over TLS on this machine, for tests: tokens are asked for, requests are throttled, and changes are
 * operations that are over only after some looks.
 */
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ArmRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface ArmAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** The change goes on: the caller is to look at an operation until it is over. */
  readonly isOperation?: boolean;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One kind of resources: what it answers, or undefined where a path is none of its own. */
export type ArmProvider = (request: ArmRequest) => ArmAnswer | undefined;

/** How often an operation is looked at before it is over. */
const looksPerOperation = 2;

export class ScriptedArm {
  readonly token = 'a-token-of-azure';
  readonly asked: string[] = [];
  /** How many of the next requests are throttled. */
  throttled = 0;
  /** What every request is answered with instead, while it is set. */
  refusal: { readonly status: number; readonly code: string } | undefined;
  /** Operations end so, once. */
  failingOperation: { readonly code: string; readonly message: string } | undefined;
  readonly #providers: readonly ArmProvider[];
  readonly #operations = new Map<string, number>();
  readonly #server: Server;
  #operationCount = 0;

  constructor(providers: readonly ArmProvider[], tls: { readonly certificate: string; readonly key: string }) {
    this.#providers = providers;
    this.#server = createServer({ cert: tls.certificate, key: tls.key }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { status, body, headers = {} } = this.#reply(request, Buffer.concat(chunks).toString());
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(body === undefined ? undefined : JSON.stringify(body));
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

  #reply({ method = '', url = '', headers }: IncomingMessage, text: string): Reply {
    const { pathname, searchParams } = new URL(url, 'https://arm');
    this.asked.push(`${method} ${pathname}`);
    if (headers.authorization !== `Bearer ${this.token}`) return { status: 401, body: problem('Unauthenticated') };
    if (this.refusal !== undefined) return { status: this.refusal.status, body: problem(this.refusal.code) };
    if (this.throttled > 0) {
      this.throttled -= 1;
      return { status: 429, body: problem('TooManyRequests'), headers: { 'retry-after': '0' } };
    }
    if (pathname.startsWith('/operations/')) return { status: 200, body: this.#operation(pathname) };
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const request = { method, path: decodeURIComponent(pathname), query: searchParams, body };
    const [answer] = this.#providers.flatMap((provider) => provider(request) ?? []);
    if (answer === undefined) return { status: 404, body: problem('ResourceNotFound') };
    if (answer.isOperation !== true) return { status: answer.status, body: answer.body };
    this.#operationCount += 1;
    const id = `/operations/${this.#operationCount}`;
    this.#operations.set(id, looksPerOperation);
    const follow = { 'azure-asyncoperation': `${this.url}${id}`, location: `${this.url}${id}` };
    return { status: answer.status, body: answer.body, headers: follow };
  }

  #operation(id: string): object {
    const left = this.#operations.get(id) ?? 0;
    this.#operations.set(id, left - 1);
    if (left > 0) return { status: 'InProgress' };
    const error = this.failingOperation;
    this.failingOperation = undefined;
    return error === undefined ? { status: 'Succeeded' } : { status: 'Failed', error };
  }
}

function problem(code: string): object {
  return { error: { code, message: `${code} it is` } };
}
