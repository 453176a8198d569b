import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** Serves one request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** The HTTP server in front of the Runtime. */
export interface GatewayServer {
  /** Starts listening; requests wait until `serve`. Resolves with the port; rejects with PORT_IN_USE or PORT_REFUSED. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Requests that wait. */
  readonly held: number;
  /** From now on requests go to the handler, first those that waited, in order. */
  serve(handler: RequestHandler): void;
  /** Takes no new connections, and no more requests on those that are idle. */
  stopListening(): void;
  /** Cuts what is still open. */
  close(): void;
}

/** As the official host, and twice Node's own limit: some identity providers send large cookies. */
const maxHeaderSizeBytes = 32_768;

/** The start-up takes less than a second: more requests than this are no people any more. */
const defaultMaxHeld = 1_000;

/** Makes the server; it listens when told to. */
export function createGatewayServer({ maxHeld = defaultMaxHeld }: { readonly maxHeld?: number } = {}): GatewayServer {
  const waiting: Parameters<RequestHandler>[] = [];
  const hold: RequestHandler = (request, response) => {
    if (waiting.length < maxHeld) waiting.push([request, response]);
    else response.writeHead(503, { 'retry-after': '1' }).end('The apps are still starting. Try again in a second.\n');
  };
  const server = createServer({ maxHeaderSize: maxHeaderSizeBytes }, hold);
  return {
    listen: (address) => listen(server, address),
    get held() {
      return waiting.length;
    },
    serve(handler) {
      server.removeListener('request', hold);
      server.on('request', handler);
      for (const [request, response] of waiting.splice(0)) handler(request, response);
    },
    stopListening() {
      server.close();
      server.closeIdleConnections();
    },
    close: () => server.closeAllConnections(),
  };
}
