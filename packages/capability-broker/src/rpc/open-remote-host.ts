import { openSession, WebSocketTransport } from '@switchyard/capabilities';
import { createDeferred, type Secret } from '@switchyard/kernel';
import { WebSocket } from 'ws';
import type { HostConnection, HostEnd } from '../hosts/host-contract.ts';
import { asHost, type RemoteHost } from '../hosts/remote-host.ts';
import { hostSession, lostHost, maxMessageBytes } from '../hosts/session-limits.ts';

export interface RemoteHostOptions {
  /** What messages call it. */
  readonly shard: string;
  /** Where a relay of hosts listens: `wss://...`, or `ws://...` within one network. */
  readonly url: string;
  readonly token: Secret;
}

/** How long a connection may take to stand. */
const connectTimeoutMs = 10_000;

/** A host of its own on another machine; its process ends with the connection. */
export function openRemoteHost({ shard, url, token }: RemoteHostOptions): HostConnection {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token.reveal()}` },
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    handshakeTimeout: connectTimeoutMs,
  });
  const transport = new WebSocketTransport(socket, lostHost(shard));
  const session = openSession<RemoteHost>(transport, hostSession);
  const ended = createDeferred<HostEnd>();
  let asked = false;
  let failure: string | undefined;
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', (code) => {
    const reason = failure ?? `the connection to '${url}' closed with ${code}`;
    ended.resolve({ reason: asked ? 'the broker stopped it' : reason, expected: asked });
  });
  return {
    host: asHost(session.main),
    dedicated: true,
    pid: undefined,
    ended: ended.promise,
    kill: async () => {
      asked = true;
      transport.lose('the broker stopped it');
      socket.terminate();
      await ended.promise;
    },
  };
}
