/** The door of an AMQP peer for clients that speak over WebSockets, with TLS, as Service Bus and Event Hubs have it. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Container } from 'rhea';
import { WebSocketServer } from 'ws';

export interface AmqpWebSockets {
  readonly port: number;
  close(): Promise<void>;
}

/** The protocol of AMQP 1.0 over WebSockets (OASIS: AMQP WebSocket binding). */
const subprotocol = 'AMQPWSB10';

export async function openAmqpWebSockets(
  container: Container,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): Promise<AmqpWebSockets> {
  const server = createServer({ cert: certificate, key });
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  sockets.on('connection', (socket) => {
    // The library takes any socket of this shape; its types know that of browsers.
    const options = { autosettle: false, treat_modified_as_released: false };
    (container as unknown as { websocket_accept(given: unknown, how: unknown): void }).websocket_accept(
      socket,
      options,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
