import { chmod } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import {
  createBatchListener,
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
  const keep = <Served extends ServedSession>(session: Served): Served => {
    sessions.add(session);
    session.onEnd(() => sessions.delete(session));
    return session;
  };
  const local = createServer((socket) => void keep(serveStream(deps, socket)));
  local.maxConnections = maxSessions;
  await new Promise<void>((resolve, reject) => {
    local.once('error', reject);
    local.listen(options.socketPath, resolve);
  });
  await chmod(options.socketPath, openToAll);
  closers.push(() => local.close());
  let webSocketUrl: string | undefined;
  if (options.webSocket !== undefined) {
    const http = createHttpServer(createBatchListener(deps, keep));
    http.maxConnections = maxSessions;
    const listener = createWebSocketListener(deps, keep);
    http.on('upgrade', (request, socket, head) => listener.handleUpgrade(request, socket, head));
    closers.push(() => http.close());
    const port = await listen(http, options.webSocket);
    webSocketUrl = `ws://${options.webSocket.host}:${port}`;
  }
  return {
    webSocketUrl,
    servePort: (port) => keep(servePort(deps, port)),
    close: async () => {
      for (const close of closers) close();
      for (const session of sessions) session.close();
    },
  };
}
