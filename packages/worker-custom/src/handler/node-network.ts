import type { AddressInfo, connect, createServer } from 'node:net';
import type { HandlerNetwork } from './ports.ts';

const loopback = '127.0.0.1';

/** The port on the machine's network; `net` is node:net. */
export function createNodeNetwork(net: {
  readonly connect: typeof connect;
  readonly createServer: typeof createServer;
}): HandlerNetwork {
  return {
    freePort: () =>
      new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once('error', reject);
        server.listen(0, loopback, () => {
          const { port } = server.address() as AddressInfo;
          server.close(() => resolve(port));
        });
      }),
    accepts: (port, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(false);
        const socket = net.connect({ host: loopback, port });
        const settle = (accepts: boolean): void => {
          signal.removeEventListener('abort', onAbort);
          socket.destroy();
          resolve(accepts);
        };
        const onAbort = (): void => settle(false);
        signal.addEventListener('abort', onAbort, { once: true });
        socket.once('connect', () => settle(true));
        socket.on('error', () => settle(false));
      }),
  };
}
