import type { Duplex } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import { LineTransport, openSession, PortTransport, WebSocketTransport } from '@switchyard/capabilities';
import type { WebSocket } from 'ws';
import { type GateDeps, GateObject } from '../broker/gate-object.ts';
import { hostSession, lostPeer } from '../hosts/session-limits.ts';

/** A peer that speaks lines of JSON: a Unix socket, a pipe. */
export function serveStream(deps: GateDeps, stream: Duplex): void {
  openSession(new LineTransport(stream, lostPeer), { ...hostSession, main: new GateObject(deps) });
}

/** A peer in another thread. */
export function servePort(deps: GateDeps, port: MessagePort): void {
  openSession(new PortTransport(port, lostPeer), { ...hostSession, main: new GateObject(deps) });
}

/** A peer on a WebSocket; its server must be given `maxPayload`. */
export function serveWebSocket(deps: GateDeps, socket: WebSocket): void {
  openSession(new WebSocketTransport(socket, lostPeer), { ...hostSession, main: new GateObject(deps) });
}
