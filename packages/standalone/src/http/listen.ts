import { connect, type Server } from 'node:net';
import { messageOf, type PlatformError } from '@switchyard/kernel';
import type { RpcServer } from '@switchyard/protocol';
import { standaloneErrors } from '../errors.ts';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The flag that gives the port, for those whose port is taken. */
  readonly flag?: string;
}

/** Starts listening. Resolves with the port; rejects with PORT_IN_USE or PORT_REFUSED. */
export function listen(server: Server, address: ListenAddress): Promise<number> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(toListenError(address, error));
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', fail);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

/** The same for a server of workers. */
export async function listenRpc(server: Pick<RpcServer, 'listen'>, address: ListenAddress): Promise<number> {
  const { host, port } = address;
  try {
    return (await server.listen({ host, port })).port;
  } catch (thrown) {
    throw toListenError(address, thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown);
  }
}

function toListenError({ host, port, flag = '--port' }: ListenAddress, thrown: unknown): PlatformError {
  const isTaken = thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';
  if (isTaken) return standaloneErrors.create('PORT_IN_USE', { host, port, flag }, thrown);
  return standaloneErrors.create('PORT_REFUSED', { host, port, flag, reason: messageOf(thrown) }, thrown);
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
