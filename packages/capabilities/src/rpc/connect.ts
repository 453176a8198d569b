import { connect as connectSocket } from 'node:net';
import { MessagePort } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { CapabilityError } from '../capability-error.ts';
import { LineTransport } from './line-transport.ts';
import { PortTransport } from './port-transport.ts';
import { openSession, type RpcTarget, type Session } from './session.ts';
import { WebSocketTransport } from './web-socket-transport.ts';

/** `unix:<path>`, `ws://...`, `wss://...`, or one end of a MessageChannel. */
export type Endpoint = string | MessagePort;

/** The longest message of a broker or host that is read. */
const maxMessageBytes = 16 * 1024 * 1024;

/** How deep a message may nest. */
const maxDepth = 96;

/** Opens a session; what cannot be reached shows at the first call. */
export function connect<Main extends RpcTarget>(endpoint: Endpoint): Session<Main> {
  const limits = { maxDepth, maxMessageSize: maxMessageBytes };
  const lost = (detail: string): Error => lostAt(endpoint, detail);
  if (endpoint instanceof MessagePort)
    return openSession<Main>(new PortTransport(endpoint, { lost, batches: true }), limits);
  if (endpoint.startsWith('unix:')) {
    const socket = connectSocket(endpoint.slice('unix:'.length));
    return openSession<Main>(new LineTransport(socket, { maxLineBytes: maxMessageBytes, lost }), limits);
  }
  if (/^wss?:\/\//.test(endpoint)) {
    const socket = new WebSocket(endpoint, { maxPayload: maxMessageBytes, perMessageDeflate: false });
    return openSession<Main>(new WebSocketTransport(socket, { lost }), limits);
  }
  const message = `'${endpoint}' is no endpoint of a broker. Use unix:<path>, ws://<host>:<port> or wss://<host>.`;
  throw new CapabilityError('BROKER_UNREACHABLE', message);
}

function lostAt(endpoint: Endpoint, detail: string): Error {
  const where = typeof endpoint === 'string' ? `'${endpoint}'` : 'the other thread';
  return new CapabilityError(
    'SHARD_UNAVAILABLE',
    `The connection to ${where} is gone: ${detail}. Acquire again.`,
    true,
  );
}
