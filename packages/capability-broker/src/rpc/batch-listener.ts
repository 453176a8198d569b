import type { IncomingMessage, ServerResponse } from 'node:http';
import { maxMessageBytes } from '../hosts/session-limits.ts';
import { defaultServeOptions, type ServeDeps, type ServedSession, serveBatch } from './serve-session.ts';

/** Messages of one batch. */
const maxMessages = defaultServeOptions.maxExports;

/**
 * Answers the requests of an HTTP server that are no WebSocket: a POST whose body is a batch of capnweb messages, one per line.
 * `opened` is told of each.
 */
export function createBatchListener(deps: ServeDeps, opened: (session: ServedSession) => void) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    // A page in a browser has no business here, as on a WebSocket.
    if (request.headers.origin !== undefined) refuse(response, 403, 'Pages of browsers are not served here.');
    else if (request.method !== 'POST') {
      response.setHeader('Upgrade', 'websocket');
      refuse(
        response,
        426,
        'This is a capability broker: connect by a WebSocket, or POST a batch of capnweb messages.',
      );
    } else void answer(deps, request, response, opened);
  };
}

async function answer(
  deps: ServeDeps,
  request: IncomingMessage,
  response: ServerResponse,
  opened: (session: ServedSession) => void,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    refuse(response, 413, `A batch has at most ${maxMessageBytes} bytes.`);
    return;
  }
  const messages = body === '' ? [] : body.split('\n');
  if (messages.length > maxMessages) {
    refuse(response, 413, `A batch has at most ${maxMessages} messages.`);
    return;
  }
  const batch = serveBatch(deps, messages);
  opened(batch);
  response.once('close', () => batch.close());
  try {
    const text = await batch.answer;
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
  } catch {
    refuse(
      response,
      400,
      'The batch ended before its answer was complete: a message is wrong, or a call took too long.',
    );
  }
}

/** Undefined when it is too long, or its sender has gone. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxMessageBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The connection ends with it: what is left of the request is not read. */
function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }).end(`${text}\n`);
}
