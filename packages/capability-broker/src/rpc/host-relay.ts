/**
 * Makes hosts of this machine reachable for a broker on another one: each WebSocket gets a host process of its own, in whatever
 * language, whose lines it carries.
 *
 * Ownership: the relay owns the processes; each ends with its connection, and the connection with it.
 *
 * I1 Only who shows the token in the `authorization` header gets a process.
 * I2 The end of a connection ends its process, and the end of a process its connection; others go on.
 * I3 No more than `maxHosts` processes run at once; one more connection is refused.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';
import { LineTransport } from '@switchyard/capabilities';
import type { Secret } from '@switchyard/kernel';
import { type WebSocket, WebSocketServer } from 'ws';
import { lostPeer, maxMessageBytes } from '../hosts/session-limits.ts';

/** A running host program. */
export interface RelayedProcess {
  readonly input: Readable;
  readonly output: Writable;
  /** Calls back once, when it has ended. */
  onEnd(callback: () => void): void;
  kill(): void;
}

export interface HostRelayOptions {
  readonly token: Secret;
  readonly maxHosts: number;
}

export interface HostRelay {
  /** For the `upgrade` event of an HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every connection and process. */
  close(): void;
}

export function createHostRelay(startHost: () => RelayedProcess, { token, maxHosts }: HostRelayOptions): HostRelay {
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  const running = new Set<WebSocket>();
  const refuse = (socket: Duplex, status: string): void => {
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  };
  return {
    handleUpgrade: (request, socket, head) => {
      if (!isToken(request.headers.authorization, token)) refuse(socket, '401 Unauthorized');
      else if (running.size >= maxHosts) refuse(socket, '503 Service Unavailable');
      else
        server.handleUpgrade(request, socket, head, (webSocket) => {
          running.add(webSocket);
          webSocket.on('close', () => running.delete(webSocket));
          join(webSocket, startHost());
        });
    },
    close: () => {
      for (const webSocket of running) webSocket.terminate();
    },
  };
}

/** Carries messages both ways until either side ends. */
function join(webSocket: WebSocket, host: RelayedProcess): void {
  const lines = new LineTransport({ input: host.input, output: host.output }, lostPeer);
  webSocket.on('message', (data) => lines.send(data.toString()));
  webSocket.on('close', () => host.kill());
  webSocket.on('error', () => host.kill());
  host.onEnd(() => webSocket.close());
  const carry = async (): Promise<void> => {
    for (;;) {
      const message = await lines.receive();
      // The next line is read when this one has left, so that a slow network slows the host.
      await new Promise<void>((resolve, reject) =>
        webSocket.send(message, (error) => (error ? reject(error) : resolve())),
      );
    }
  };
  carry().catch(() => {
    webSocket.close();
    host.kill();
  });
}

function isToken(header: string | undefined, token: Secret): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token.reveal()}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
