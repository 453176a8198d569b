/** HTTP for end-to-end tests, closer to the wire than `DevProcess.request`: streams, raw connections, many calls at once. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { patienceMs } from './dev-process.ts';

export interface OpenOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders | readonly string[];
  readonly agent?: Agent;
}

/** A request that is under way: its owner writes the body and ends it. */
export interface OpenRequest {
  readonly outgoing: ClientRequest;
  readonly response: Promise<IncomingMessage>;
}

/** Begins a request. */
export function openRequest(port: number, path: string, options: OpenOptions = {}): OpenRequest {
  const { method = 'GET', headers = {}, agent = false } = options;
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject);
  });
  response.catch(() => {});
  return { outgoing, response };
}

/** The whole body. Rejects when the response breaks off. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The next bytes of a body, as text; none when it has ended. */
export async function nextPart(response: IncomingMessage): Promise<string> {
  let part: unknown = response.read();
  if (part === null && !response.readableEnded) {
    await moreOrEnd(response);
    part = response.read();
  }
  return part === null ? '' : String(part);
}

/** Waits for bytes or the end: the end alone makes no `readable` when its news came with the last bytes. */
async function moreOrEnd(response: IncomingMessage): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    await Promise.race([once(response, 'readable', { signal }), once(response, 'end', { signal })]);
  } finally {
    waiting.abort();
  }
}

/** How a raw connection ended. */
export interface RawEnd {
  /** Everything that came, one character for each byte. */
  readonly received: string;
  /** The code of the error that ended it; undefined for an orderly end. */
  readonly error: string | undefined;
}

/** Sends bytes over a connection of its own, and gives what comes back until the server ends it or `until` is there. */
export function exchangeRaw(port: number, sent: string | Uint8Array, until?: RegExp): Promise<RawEnd> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    let error: string | undefined;
    const timer = setTimeout(() => socket.destroy(new Error('no end came')), patienceMs);
    socket.setEncoding('latin1').on('data', (part: string) => {
      received += part;
      if (until?.test(received)) socket.destroy();
    });
    socket.once('error', (reason: NodeJS.ErrnoException) => {
      error = reason.code ?? reason.message;
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve({ received, error });
    });
    socket.write(sent);
  });
}

/** Makes `count` GET requests at once, each over a connection of its own, and tells how often each answer came. */
export async function callAtOnce(port: number, path: string, count: number): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: false, maxSockets: count });
  const answers: Record<string, number> = {};
  const one = async (): Promise<void> => {
    const { outgoing, response } = openRequest(port, path, { agent });
    outgoing.end();
    const answer = await response.then(
      async (head) => `${head.statusCode} ${await bodyOf(head)}`,
      (reason: NodeJS.ErrnoException) => reason.code ?? reason.message,
    );
    answers[answer] = (answers[answer] ?? 0) + 1;
  };
  await Promise.all(Array.from({ length: count }, one));
  agent.destroy();
  return answers;
}
