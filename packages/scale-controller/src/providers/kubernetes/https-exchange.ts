import type { request as httpsRequest } from 'node:https';
import type { Clock } from '@switchyard/kernel';
import type { HttpsExchange } from './kubernetes-api.ts';

export interface HttpsExchangeDeps {
  readonly clock: Clock;
  /** `request` of node:https. */
  readonly request: typeof httpsRequest;
}

export interface HttpsExchangeOptions {
  /** The authorities that servers' certificates are checked by; those of the system when left out. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, where its address is none. */
  readonly serverName?: string;
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;

/** The longest answer that is read: some thousand pods. */
const maxAnswerBytes = 32 * 1024 * 1024;

/** One exchange after the other over node:https, each with a deadline and a longest answer. */
export function createHttpsExchange(
  { clock, request }: HttpsExchangeDeps,
  { timeoutMs = defaultTimeoutMs, serverName, ...tls }: HttpsExchangeOptions = {},
): HttpsExchange {
  const named = serverName === undefined ? {} : { servername: serverName };
  return ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers: { ...headers }, ...tls, ...named }, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) outgoing.destroy(new Error(`the answer has more than ${maxAnswerBytes} bytes`));
          else chunks.push(chunk);
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      const timer = clock.schedule(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.on('close', () => timer.cancel());
      outgoing.end(body);
    });
}
