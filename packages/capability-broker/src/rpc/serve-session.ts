/**
 * One peer's session with the broker, over whatever carries it.
 *
 * Ownership: the session owns its transport and closes it; who serves it may close it earlier.
 *
 * I1 A session in which nobody authenticated within `authenticateMs` is closed.
 * I2 A session that holds more than `maxExports` objects of the broker is closed, and with it all that it held; others go on.
 * I3 Whoever keeps a session is told of its end, however it came about.
 * I4 A batch is answered whole or not at all, within `batchMs`; what it held is given back then.
 */
import type { Duplex } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import {
  BatchTransport,
  LineTransport,
  openSession,
  PortTransport,
  type Session,
  WebSocketTransport,
} from '@switchyard/capabilities';
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
  /** What a batch may take: more than the longest request for capabilities. */
  readonly batchMs: number;
}

export const defaultServeOptions: ServeOptions = {
  ...{ authenticateMs: 10_000, maxExports: 20_000, lookMs: 1_000, batchMs: 150_000 },
};

export interface ServedSession {
  close(): void;
  /** Calls back once the session is over. */
  onEnd(callback: () => void): void;
}

/** A batch on its way. */
export interface ServedBatch extends ServedSession {
  /** What the peer gets; rejects when the session ends before that is complete. */
  readonly answer: Promise<string>;
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

/** A peer that sends all of its messages at once, and waits for all of the answer. */
export function serveBatch(
  deps: ServeDeps,
  messages: readonly string[],
  options: ServeOptions = defaultServeOptions,
): ServedBatch {
  const transport = new BatchTransport(messages);
  const { session, close, onEnd } = serve(deps, transport, options);
  const timer = deps.clock.schedule(options.batchMs, close);
  const answer = async (): Promise<string> => {
    try {
      await transport.received;
      await session.drain();
      return transport.answer;
    } finally {
      timer.cancel();
      close();
    }
  };
  return { close, onEnd, answer: answer() };
}

function serve(
  deps: ServeDeps,
  transport: LineTransport | PortTransport | WebSocketTransport | BatchTransport,
  { authenticateMs, maxExports, lookMs }: ServeOptions,
): ServedSession & { readonly session: Session<undefined> } {
  const { clock } = deps;
  let isOpen = false;
  const identified = (): void => {
    isOpen = true;
  };
  const gate = new GateObject({ ...deps, identified });
  const session = openSession(transport, { ...hostSession, main: gate });
  const beganMs = clock.monotonic();
  const endings: (() => void)[] = [];
  let isOver = false;
  let timer: Timer;
  const end = (): void => {
    timer.cancel();
    isOver = true;
    for (const callback of endings.splice(0)) callback();
  };
  const close = (): void => {
    session.close();
    end();
  };
  const look = (): void => {
    const isLate = !isOpen && clock.monotonic() - beganMs >= authenticateMs;
    if (isLate || session.exports() > maxExports) close();
    else timer = clock.schedule(lookMs, look);
  };
  timer = clock.schedule(lookMs, look);
  session.main.onRpcBroken(end);
  return { session, close, onEnd: (callback) => (isOver ? callback() : endings.push(callback)) };
}
