import { chmod } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import {
  createWebSocketListener,
  type ServeDeps,
  type ServedSession,
  servePort,
  serveStream,
} from '@switchyard/capability-broker';
import { listen } from '../http/listen.ts';

/** Who connects still needs a token. */
const openToAll = 0o666;

/** More sessions than this at once are turned away. */
const maxSessions = 4_096;

export interface BrokerSocketOptions {
  readonly socketPath: string;
  /** Where WebSockets are accepted; nowhere when absent. */
  readonly webSocket: { readonly host: string; readonly port: number } | undefined;
}

export interface BrokerSockets {
  /** `ws://...`, or undefined when nothing listens for WebSockets. */
  readonly webSocketUrl: string | undefined;
  /** Serves a peer in another thread. */
  servePort(port: MessagePort): ServedSession;
  /** Accepts nobody else, and ends every session. */
  close(): Promise<void>;
}

/** Opens the doors of a broker. Rejects with PORT_IN_USE or PORT_REFUSED. */
export async function openBrokerSockets(deps: ServeDeps, options: BrokerSocketOptions): Promise<BrokerSockets> {
  const sessions = new Set<ServedSession>();
  const closers: (() => void)[] = [];
  const local = createServer((socket) => {
    const session = serveStream(deps, socket);
    sessions.add(session);
    socket.on('close', () => sessions.delete(session));
  });
  local.maxConnections = maxSessions;
  await new Promise<void>((resolve, reject) => {
    local.once('error', reject);
    local.listen(options.socketPath, resolve);
  });
  await chmod(options.socketPath, openToAll);
  closers.push(() => local.close());
  let webSocketUrl: string | undefined;
  if (options.webSocket !== undefined) {
    const http = createHttpServer((_request, response) => response.writeHead(426).end());
    http.maxConnections = maxSessions;
    const listener = createWebSocketListener(deps, (session) => sessions.add(session));
    http.on('upgrade', (request, socket, head) => listener.handleUpgrade(request, socket, head));
    closers.push(() => http.close());
    const port = await listen(http, options.webSocket);
    webSocketUrl = `ws://${options.webSocket.host}:${port}`;
  }
  return {
    webSocketUrl,
    servePort: (port) => {
      const session = servePort(deps, port);
      sessions.add(session);
      return session;
    },
    close: async () => {
      for (const close of closers) close();
      for (const session of sessions) session.close();
    },
  };
}
