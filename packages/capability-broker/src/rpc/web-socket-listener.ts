import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { maxMessageBytes } from '../hosts/session-limits.ts';
import { type ServeDeps, type ServedSession, serveWebSocket } from './serve-session.ts';

/** Answers the `upgrade` events of an HTTP server. */
export interface WebSocketListener {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Serves every WebSocket that connects; `opened` is told of each session. */
export function createWebSocketListener(deps: ServeDeps, opened: (session: ServedSession) => void): WebSocketListener {
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  return {
    handleUpgrade: (request, socket, head) => {
      // A page in a browser has no business here: it has no token, and its origin says where it comes from.
      if (request.headers.origin !== undefined) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => opened(serveWebSocket(deps, webSocket)));
    },
  };
}
