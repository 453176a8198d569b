/**
 * Hands a request on to the Runtime that serves its app: bodies flow both ways at once, no faster than the other side takes
 * them, and nothing is kept in memory.
 *
 * I1 The Runtime sees the caller's method, path, headers and host name, and from where the caller came.
 * I2 A request that may have been begun is never sent again; only one that found no connection is, and only elsewhere.
 * I3 When the caller leaves, the Runtime is told; when the Runtime is lost, the caller gets 502 with FLEET_RUNTIME_LOST, or the
 *    end of the connection where the answer has begun.
 * I4 `Expect: 100-continue` is the Runtime's to answer.
 */
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from 'node:http';
import { request as openSecureRequest, type Agent as SecureAgent } from 'node:https';
import { pipeline } from 'node:stream';
import { fleetErrors } from './errors.ts';

/** Where a Runtime of another process takes requests. */
export interface ForwardTarget {
  readonly runtimeId: string;
  readonly url: URL;
  readonly agent: Agent | SecureAgent;
  /** Proves that the request comes from the installation. */
  readonly key: string;
}

/** Headers between the installation and a Runtime; callers cannot set them. */
export const gatewayKeyHeader = 'x-switchyard-gateway';
export const callerHeader = 'x-switchyard-caller';

/** Belong to one connection, and not to the next one. */
const hopHeaders: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...[gatewayKeyHeader, callerHeader],
]);

/** As much as the gateway takes. */
const maxHeaderSize = 65_536;

/** `onUnreachable` takes a request of which nothing was sent. `onEnd` is called once, however it ends. */
export function forwardRequest(
  target: ForwardTarget,
  incoming: IncomingMessage,
  response: ServerResponse,
  { onUnreachable, onEnd }: { readonly onUnreachable: () => void; readonly onEnd: () => void },
): void {
  const outgoing = open(target, incoming);
  let isOver = false;
  /** Before that no byte of the request has left. */
  let isConnected = false;
  const end = (): void => {
    if (!isOver) onEnd();
    isOver = true;
  };
  const expects = incoming.headers.expect?.toLowerCase() === '100-continue';
  const sendBody = (): void => {
    // Errors of either side come to the handlers below.
    if (hasBody(incoming)) pipeline(incoming, outgoing, () => {});
    else outgoing.end();
  };
  response.once('close', () => {
    end();
    if (!response.writableFinished) outgoing.destroy();
  });
  outgoing.on('continue', () => {
    response.writeContinue();
    sendBody();
  });
  outgoing.on('response', (answer) => relay(answer, response, outgoing));
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    if (isOver) return;
    if (!isConnected) {
      isOver = true;
      onEnd();
      onUnreachable();
      return;
    }
    lose(target, response, error.message);
  });
  whenConnected(outgoing, () => {
    isConnected = true;
    if (!expects) sendBody();
  });
  if (expects) outgoing.flushHeaders();
}

function open({ url, agent, key }: ForwardTarget, incoming: IncomingMessage): ClientRequest {
  const headers = [...passed(incoming.rawHeaders), gatewayKeyHeader, key, callerHeader, callerOf(incoming)];
  // The framing is made anew where the caller named no length.
  if (incoming.headers['transfer-encoding'] !== undefined) headers.push('transfer-encoding', 'chunked');
  else if (incoming.headers['content-length'] === undefined) headers.push('content-length', '0');
  const { protocol, hostname, port } = url;
  const options = {
    ...{ agent, hostname, port, headers, maxHeaderSize },
    ...{ method: incoming.method, path: incoming.url, setHost: false },
  };
  return protocol === 'https:' ? openSecureRequest(options) : openRequest(options);
}

/**
 * The body stays where it is until there is a connection, so that a request without one can go elsewhere. One with TLS is there
 * when both ends have agreed.
 */
function whenConnected(outgoing: ClientRequest, then: () => void): void {
  outgoing.once('socket', (socket) => {
    if (socket.connecting) socket.once('secureConnecting' in socket ? 'secureConnect' : 'connect', then);
    // One that the system refused at once has never been connected.
    else if (!socket.destroyed) then();
  });
}

function relay(answer: IncomingMessage, response: ServerResponse, outgoing: ClientRequest): void {
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passed(answer.rawHeaders));
  answer.on('error', () => response.destroy());
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
    // It was answered without its body.
    if (!outgoing.writableEnded) outgoing.destroy();
  });
  answer.pipe(response);
  // A short body that came with the head leaves with it; a head whose body takes its time goes ahead.
  setImmediate(() => {
    if (!response.writableEnded && !response.destroyed) response.flushHeaders();
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'transfer-encoding': framing, 'content-length': length } = headers;
  return framing !== undefined || (length !== undefined && length !== '0');
}

function lose({ runtimeId }: ForwardTarget, response: ServerResponse, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, message, definition } = fleetErrors.create('FLEET_RUNTIME_LOST', { runtimeId, reason });
  response.writeHead(definition.http, { 'content-type': 'text/plain; charset=utf-8', 'x-switchyard-error': code });
  response.end(`${code}: ${message}\n`);
}

function passed(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    if (!hopHeaders.has(name.toLowerCase())) headers.push(name, value);
  }
  return headers;
}

function callerOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}
