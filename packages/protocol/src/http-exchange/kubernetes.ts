/** What every caller of the Kubernetes API needs: who asks, and what a refusal says. */
import type { Secret } from '@switchyard/kernel';
import { z } from 'zod';
import type { HttpAsk, HttpExchange, HttpReply } from './http-exchange.ts';

export interface KubernetesAccess {
  /** `https://host:port`. */
  readonly server: string;
  /** Read for every call: the cluster changes it now and then. Undefined where a client certificate says who asks. */
  readonly token: () => Promise<Secret | undefined>;
}

export interface KubernetesAsk {
  readonly method: HttpAsk['method'];
  /** From the root of the server on. */
  readonly path: string;
  readonly body?: object;
  /** JSON when left out. */
  readonly contentType?: string;
}

export type AskKubernetes = (ask: KubernetesAsk) => Promise<HttpReply>;

export function createAskKubernetes(exchange: HttpExchange, { server, token }: KubernetesAccess): AskKubernetes {
  return async ({ method, path, body, contentType = 'application/json' }) => {
    const shown = await token();
    const headers = {
      ...(shown === undefined ? {} : { authorization: `Bearer ${shown.reveal()}` }),
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType }),
    };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return await exchange({ method, url: `${server}${path}`, headers, ...text });
  };
}

/** Kubernetes answers with a Status object; anything else is shown by its beginning. */
export function kubernetesReasonOf({ text }: HttpReply): string {
  try {
    const reading = z.object({ message: z.string() }).safeParse(JSON.parse(text));
    if (reading.success) return reading.data.message.slice(0, 500);
  } catch {
    // It is shown as it is.
  }
  return text.slice(0, 200);
}
