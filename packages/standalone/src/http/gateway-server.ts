import type { IncomingMessage, ServerResponse } from 'node:http';
import { TransientSet } from '@switchyard/kernel';
import { createHttpServer } from './http-server.ts';
import { listen } from './listen.ts';
import type { ServerCertificate } from './server-certificate.ts';

/** Serves one request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** The HTTP server in front of the Runtime. */
export interface GatewayServer {
  /** Starts listening; requests wait until `serve`. Resolves with the port; rejects with PORT_IN_USE or PORT_REFUSED. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Where the programs of this machine find it in clear, once it listens; undefined where that is the port itself. */
  readonly localPort: number | undefined;
  /** Requests that wait. */
  readonly held: number;
  /** From now on requests go to the handler, first those that waited, in order. */
  serve(handler: RequestHandler): void;
  /** Takes no new connections; those that are open end with what they are at, and idle ones at once. */
  stopListening(): void;
  /** Stops listening, and cuts what is still open. */
  close(): void;
}

/** As the official host, and twice Node's own limit: some identity providers send large cookies. */
const maxHeaderSizeBytes = 32_768;

/**
 * How long the head of a request may take. There is no limit for the whole request, which Node sets to five minutes: large
 * bodies take longer on a slow line. The Runtime ends those that stand still.
 */
const headMs = 60_000;

/** The start-up takes less than a second: more requests than this are no people any more. */
const defaultMaxHeld = 1_000;

export interface GatewayServerOptions {
  /** Requests that may wait for `serve`. */
  readonly maxHeld?: number;
  /** With it, callers speak TLS. */
  readonly certificate?: ServerCertificate | undefined;
  /** Beside TLS, lets in the programs of this machine in clear, on loopback at any port. */
  readonly hasLocalSide?: boolean;
}

/** Makes the server; it listens when told to. */
export function createGatewayServer({
  maxHeld = defaultMaxHeld,
  certificate,
  hasLocalSide = false,
}: GatewayServerOptions = {}): GatewayServer {
  const waiting: Parameters<RequestHandler>[] = [];
  const unanswered = new TransientSet<ServerResponse>();
  const hold: RequestHandler = (request, response) => {
    if (waiting.length < maxHeld) waiting.push([request, response]);
    else response.writeHead(503, { 'retry-after': '1' }).end('The apps are still starting. Try again in a second.\n');
  };
  let handle = hold;
  const limits = { maxHeaderSize: maxHeaderSizeBytes, requestTimeout: 0, headersTimeout: headMs };
  const server = createHttpServer(limits, certificate);
  const local = hasLocalSide && certificate !== undefined ? createHttpServer(limits, undefined) : undefined;
  const sides = local === undefined ? [server] : [server, local];
  let localPort: number | undefined;
  const receive: RequestHandler = (request, response) => {
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
    if (!server.listening) closeAfter(response);
    handle(request, response);
  };
  for (const side of sides) side.on('request', receive).on('checkContinue', receive);
  const stopListening = (): void => {
    for (const side of sides) {
      side.close();
      side.closeIdleConnections();
    }
    for (const response of unanswered) closeAfter(response);
  };
  return {
    async listen(address) {
      if (local !== undefined) localPort = await listen(local, { host: '127.0.0.1', port: 0 });
      return await listen(server, address);
    },
    get localPort() {
      return localPort;
    },
    get held() {
      return waiting.length;
    },
    serve(handler) {
      handle = handler;
      for (const [request, response] of waiting.splice(0)) handler(request, response);
    },
    stopListening,
    close() {
      stopListening();
      for (const side of sides) side.closeAllConnections();
    },
  };
}

/**
 * Tells the caller that the connection ends with this answer. A caller that believed in the next request would have it cut
 * at the end. Without effect on an answer that has begun.
 */
function closeAfter(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
