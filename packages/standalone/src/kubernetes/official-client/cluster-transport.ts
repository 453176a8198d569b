/**
 * Carries the calls of the official client, whose own transport has no deadline and opens a connection for each.
 *
 * I1 A call with all its tries has one deadline.
 * I2 What the cluster asks to be tried again (429, 5xx with a time to wait, a conflict of writers) is, a limited number of times.
 * I3 A credential that is not taken is fetched anew, once in a call.
 */
import { type PromiseHttpLibrary, type RequestContext, ResponseContext } from '@kubernetes/client-node';
import { type Clock, sleep, withDeadline } from '@switchyard/kernel';
import type { HttpAsk, HttpExchange, HttpReply } from '@switchyard/protocol/http-exchange';
import { z } from 'zod';
import type { Connector } from './connector.ts';

export interface ClusterTransportDeps {
  readonly clock: Clock;
  readonly exchange: HttpExchange;
  readonly connector: Connector;
}

/** The cluster has answered, and will not. Its message is the reason, in the cluster's words. */
export class ClusterRefusedError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

const maxTries = 6;
const firstWaitMs = 100;
const maxWaitMs = 10_000;

/** Kubernetes answers with a Status object where it refuses. */
const statusSchema = z.object({ message: z.string(), reason: z.string().optional() });

export function createClusterTransport(
  { clock, exchange, connector }: ClusterTransportDeps,
  { timeoutMs }: { readonly timeoutMs: number },
): PromiseHttpLibrary {
  const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
  const trySend = async (request: RequestContext, endMs: number): Promise<HttpReply> => {
    const { headers, options } = await withDeadline(clock, endMs - clock.monotonic(), connector.connect(), late);
    const body = request.getBody();
    return await exchange({
      method: request.getHttpMethod() as HttpAsk['method'],
      url: request.getUrl(),
      headers: { ...request.getHeaders(), ...headers, 'User-Agent': 'switchyard' },
      connection: options,
      timeoutMs: Math.max(1, Math.ceil(endMs - clock.monotonic())),
      ...(typeof body === 'string' ? { body } : {}),
    });
  };
  return {
    async send(request) {
      const endMs = clock.monotonic() + timeoutMs;
      let mayRenew = true;
      for (let tries = 1; ; tries += 1) {
        const reply = await trySend(request, endMs);
        if (reply.status < 300) return toResponse(reply);
        if (reply.status === 401 && mayRenew && connector.forget()) {
          mayRenew = false;
          continue;
        }
        const waitMs = waitAfter(reply, tries);
        if (waitMs === undefined || tries >= maxTries || clock.monotonic() + waitMs >= endMs) {
          throw new ClusterRefusedError(reply.status, reasonOf(reply));
        }
        await sleep(clock, waitMs);
      }
    },
  };
}

/** How long until the next try; undefined when another one is of no use. */
function waitAfter(reply: HttpReply, tries: number): number | undefined {
  const grown = Math.min(maxWaitMs, firstWaitMs * 2 ** (tries - 1));
  const told = /^\d{1,5}$/.exec(String(reply.headers?.['retry-after'] ?? ''))?.[0];
  if (told !== undefined && (reply.status === 429 || reply.status >= 500)) return Math.max(grown, Number(told) * 1_000);
  if (reply.status === 429) return grown;
  // Two wrote at once, a quota say; a resource that is there already has another reason.
  return reply.status === 409 && statusOf(reply)?.reason === 'Conflict' ? grown : undefined;
}

function toResponse({ status, text, headers = {} }: HttpReply): ResponseContext {
  const type = headers['content-type'] ?? 'application/json';
  return new ResponseContext(
    status,
    { 'content-type': type },
    {
      text: async () => text,
      binary: async () => Buffer.from(text),
      stream: () => null,
    },
  );
}

function reasonOf(reply: HttpReply): string {
  return statusOf(reply)?.message.slice(0, 500) ?? reply.text.slice(0, 200);
}

function statusOf({ text }: HttpReply): z.infer<typeof statusSchema> | undefined {
  try {
    return statusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
