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

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** True for the address of this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return loopbackNames.has(host.replace(/^\[|\]$/g, ''));
}

/** True for an address that stands for all of the machine's, and at which nobody is found. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A host as it stands in a URL. */
export function toUrlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** True when something accepts connections there. Never rejects. */
export async function isListening(host: string, port: number): Promise<boolean> {
  return (await knock(host, port)) === 'accepted';
}

/**
 * False only when the connection is refused: whoever does not answer in time on a busy machine may well be there, and
 * taking them for absent would let two hosts run what one should. Never rejects.
 */
export async function mayListen(host: string, port: number): Promise<boolean> {
  return (await knock(host, port)) !== 'refused';
}

function knock(host: string, port: number): Promise<'accepted' | 'refused' | 'silent'> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (outcome: 'accepted' | 'refused' | 'silent'): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => answer('accepted'));
    socket.once('error', () => answer('refused'));
    socket.setTimeout(connectTimeoutMs, () => answer('silent'));
  });
}

/** On the machine itself a connection takes far less. */
const connectTimeoutMs = 500;
