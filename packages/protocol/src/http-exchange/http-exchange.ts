/** One HTTP exchange as a port, for adapters that speak to an API of a few calls, and its adapter over node:http and node:https. */
import type { request as httpRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { request as httpsRequest, RequestOptions } from 'node:https';
import type { Clock } from '@switchyard/kernel';

export interface HttpReply {
  readonly status: number;
  readonly text: string;
  /** In lower case. A scripted answer may have none. */
  readonly headers?: Readonly<IncomingHttpHeaders>;
}

export interface HttpAsk {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Who asks and who is believed, where that changes from call to call. */
  readonly connection?: Readonly<RequestOptions>;
  /** That of the adapter when left out. */
  readonly timeoutMs?: number;
}

/** Rejects when there is no answer within the deadline of the adapter. Redirects are answers. */
export type HttpExchange = (request: HttpAsk) => Promise<HttpReply>;

export interface HttpExchangeDeps {
  readonly clock: Clock;
  /** `request` of node:https. */
  readonly request: typeof httpsRequest;
  /** `request` of node:http; without it addresses of `http:` are refused. */
  readonly plainRequest?: typeof httpRequest;
}

export interface HttpExchangeOptions {
  /** The authorities that servers' certificates are checked by; those of the system when left out. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, where its address is none. */
  readonly serverName?: string;
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;

/** The longest answer that is read: some thousand records. */
const maxAnswerBytes = 32 * 1024 * 1024;

/** One exchange after the other, each with a deadline and a longest answer. */
export function createHttpExchange(
  { clock, request, plainRequest }: HttpExchangeDeps,
  { timeoutMs: usualMs = defaultTimeoutMs, serverName, ...tls }: HttpExchangeOptions = {},
): HttpExchange {
  const named = serverName === undefined ? {} : { servername: serverName };
  return ({ method, url, headers, body, connection = {}, timeoutMs = usualMs }) =>
    new Promise((resolve, reject) => {
      const onAnswer = (answer: IncomingMessage): void => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) outgoing.destroy(new Error(`the answer has more than ${maxAnswerBytes} bytes`));
          else chunks.push(chunk);
        });
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            headers: answer.headers,
          }),
        );
        answer.on('error', reject);
      };
      const asked = { method, headers: { ...headers } };
      const isPlain = plainRequest !== undefined && url.startsWith('http:');
      const outgoing = isPlain
        ? plainRequest(url, asked, onAnswer)
        : request(url, { ...asked, ...tls, ...named, ...connection }, onAnswer);
      const timer = clock.schedule(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.on('close', () => timer.cancel());
      outgoing.end(body);
    });
}
