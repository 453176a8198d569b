/**
 * One peer's session with the broker, over whatever carries it.
 *
 * Ownership: the session owns its transport and closes it; who serves it may close it earlier.
 *
 * I1 A session in which nobody authenticated within `authenticateMs` is closed.
 * I2 A session that holds more than `maxExports` objects of the broker is closed, and with it all that it held; others go on.
 */
import type { Duplex } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import { LineTransport, openSession, PortTransport, WebSocketTransport } from '@switchyard/capabilities';
import type { Clock, Timer } from '@switchyard/kernel';
import type { WebSocket } from 'ws';
import { type GateDeps, GateObject } from '../broker/gate-object.ts';
import { hostSession, lostPeer } from '../hosts/session-limits.ts';

export interface ServeDeps extends GateDeps {
  readonly clock: Clock;
}

/** How a session is looked after. */
export interface ServeOptions {
  readonly authenticateMs: number;
  readonly maxExports: number;
  /** How often a session is looked at. */
  readonly lookMs: number;
}

export const defaultServeOptions: ServeOptions = { authenticateMs: 10_000, maxExports: 20_000, lookMs: 1_000 };

export interface ServedSession {
  close(): void;
}

/** A peer that speaks lines of JSON: a Unix socket, a pipe. */
export function serveStream(deps: ServeDeps, stream: Duplex, options = defaultServeOptions): ServedSession {
  return serve(deps, new LineTransport(stream, lostPeer), options);
}

/** A peer in another thread. */
export function servePort(deps: ServeDeps, port: MessagePort, options = defaultServeOptions): ServedSession {
  return serve(deps, new PortTransport(port, lostPeer), options);
}

/** A peer on a WebSocket; its server must be given `maxPayload`. */
export function serveWebSocket(deps: ServeDeps, socket: WebSocket, options = defaultServeOptions): ServedSession {
  return serve(deps, new WebSocketTransport(socket, lostPeer), options);
}

function serve(
  deps: ServeDeps,
  transport: LineTransport | PortTransport | WebSocketTransport,
  { authenticateMs, maxExports, lookMs }: ServeOptions,
): ServedSession {
  const { clock } = deps;
  let isOpen = false;
  const identified = (): void => {
    isOpen = true;
  };
  const gate = new GateObject({ ...deps, identified });
  const session = openSession(transport, { ...hostSession, main: gate });
  const beganMs = clock.monotonic();
  let timer: Timer;
  const close = (): void => {
    timer.cancel();
    session.close();
  };
  const look = (): void => {
    const isLate = !isOpen && clock.monotonic() - beganMs >= authenticateMs;
    if (isLate || session.exports() > maxExports) close();
    else timer = clock.schedule(lookMs, look);
  };
  timer = clock.schedule(lookMs, look);
  session.main.onRpcBroken(() => timer.cancel());
  return { close };
}
