import { connect, type Server } from 'node:net';
import { messageOf } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';

/** Starts listening. Resolves with the port; rejects with PORT_IN_USE or PORT_REFUSED. */
export function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<number> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(
        error.code === 'EADDRINUSE'
          ? standaloneErrors.create('PORT_IN_USE', { host, port }, error)
          : standaloneErrors.create('PORT_REFUSED', { host, port, reason: messageOf(error) }, error),
      );
    };
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', fail);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

/** True when something accepts connections there. Never rejects. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(connectTimeoutMs, () => answer(false));
  });
}

/** On the machine itself a connection takes far less. */
const connectTimeoutMs = 500;
