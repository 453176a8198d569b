import type { ClientRequest, IncomingMessage, request } from 'node:http';
import { Agent } from 'node:http';
import type { HandlerClient, HandlerOutcome, HandlerReply, HandlerRequest } from './ports.ts';

export interface NodeClientOptions {
  /** The longest answer. */
  readonly replyBytes: number;
  /** Connections to the handler at a time; more requests wait. */
  readonly connections: number;
}

/** What a connection that was idle too long ends with when it is used again. */
const staleCodes: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** How long a connection may be idle. Shorter than the five seconds that many servers allow. */
const idleMs = 4_000;

/** The port on HTTP/1.1; `open` is `request` of node:http. */
export function createNodeClient(open: typeof request, options: NodeClientOptions): HandlerClient {
  const agent = new Agent({ keepAlive: true, timeout: idleMs, maxSockets: options.connections });
  const once = (request: HandlerRequest, signal: AbortSignal): Promise<HandlerOutcome | 'stale'> =>
    new Promise((resolve) => {
      let outgoing: ClientRequest;
      try {
        outgoing = open({
          agent,
          host: '127.0.0.1',
          port: request.port,
          method: request.method,
          path: request.path,
          headers: flatten(request),
          setHost: false,
          signal,
        });
      } catch (error) {
        return resolve({ kind: 'invalid', reason: (error as Error).message });
      }
      // The agent's timeout is for idle connections; a function may take as long as it needs.
      outgoing.setTimeout(0);
      outgoing.on('error', (error) => resolve(toOutcome(error, outgoing, signal)));
      outgoing.once('response', (response) => void readReply(response, options.replyBytes, signal).then(resolve));
      outgoing.end(request.body);
    });
  return {
    async send(request, signal) {
      const outcome = await once(request, signal);
      if (outcome !== 'stale') return outcome;
      // A connection that the handler closed while it was idle: nothing was answered on it, so a new one is tried.
      const second = await once(request, signal);
      return second === 'stale' ? { kind: 'unreachable', reason: 'the connection was reset twice' } : second;
    },
    close: () => agent.destroy(),
  };
}

function flatten({ headers, body, method }: HandlerRequest): string[] {
  const bodiless = body.length === 0 && (method === 'GET' || method === 'HEAD');
  const length = bodiless ? [] : ['content-length', String(body.length)];
  return [...headers.flat(), ...length];
}

function toOutcome(
  error: NodeJS.ErrnoException,
  outgoing: ClientRequest,
  signal: AbortSignal,
): HandlerOutcome | 'stale' {
  if (signal.aborted) return { kind: 'aborted' };
  if (outgoing.reusedSocket && staleCodes.has(error.code)) return 'stale';
  return { kind: 'unreachable', reason: error.message };
}

async function readReply(response: IncomingMessage, limitBytes: number, signal: AbortSignal): Promise<HandlerOutcome> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length;
      // Leaving the loop destroys the connection.
      if (sizeBytes > limitBytes) return { kind: 'too-long', limitBytes };
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    return { kind: 'unreachable', reason: `the answer broke off: ${(error as Error).message}` };
  }
  return { kind: 'replied', reply: toReply(response, Buffer.concat(chunks, sizeBytes)) };
}

function toReply({ statusCode, statusMessage, rawHeaders }: IncomingMessage, body: Uint8Array): HandlerReply {
  const headers = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
  return { status: statusCode ?? 0, statusText: statusMessage ?? '', headers, body };
}
