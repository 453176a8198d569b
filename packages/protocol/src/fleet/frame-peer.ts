/**
 * Calls and notes in both directions over one Link, as JSON: how an installation and its Runtimes of other processes speak.
 *
 * Ownership: whoever opened the link makes the peer and closes it.
 *
 * I1 Every call is answered once: with the other end's answer, with its error, with FLEET_CALL_LATE, or with
 *    FLEET_CHANNEL_CLOSED when the link ends first.
 * I2 Calls and notes are taken up at the other end in the order in which they were sent.
 * I3 A frame that is none ends the link; a handler that throws ends nothing: its message is the call's error.
 */
import { type Clock, isPlatformError, messageOf, PlatformError, type Timer, TransientMap } from '@switchyard/kernel';
import { protocolErrors } from '../errors.ts';
import { grpcStatus, type Link, type LinkEnd, type LinkStatus } from '../link.ts';

/** The method of the port for workers over which a Runtime joins an installation. */
export const fleetJoinPath = '/switchyard.Fleet/Join';

export interface PeerHandlers {
  /** Answers a call. What it throws is the call's error. */
  call(method: string, body: unknown): Promise<unknown>;
  note(method: string, body: unknown): void;
}

/** One end of the channel. */
export interface FramePeer {
  /** Rejects with the other end's PlatformError, FLEET_CALL_LATE or FLEET_CHANNEL_CLOSED. */
  call(method: string, body: unknown, timeoutMs: number): Promise<unknown>;
  note(method: string, body: unknown): void;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  readonly closed: Promise<LinkEnd>;
  close(status: LinkStatus): void;
}

interface Waiting {
  readonly method: string;
  readonly timer: Timer;
  resolve(body: unknown): void;
  reject(error: PlatformError): void;
}

/** An error on its way. */
interface SentError {
  readonly code: string;
  readonly message: string;
  readonly http: number;
  readonly grpc: number;
}

type Frame =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly body?: unknown }
  | { readonly kind: 'note'; readonly method: string; readonly body?: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly body?: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError };

export function createFramePeer(clock: Clock, link: Link, handlers: PeerHandlers): FramePeer {
  return new JsonPeer(clock, link, handlers);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

class JsonPeer implements FramePeer {
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #handlers: PeerHandlers;
  readonly #waiting = new TransientMap<number, Waiting>();
  #next = 1;
  #isClosed = false;

  constructor(clock: Clock, link: Link, handlers: PeerHandlers) {
    this.#clock = clock;
    this.#link = link;
    this.#handlers = handlers;
    void link.closed.then((end) => this.#ended(end.message));
    link.receive({ frame: (bytes) => this.#take(bytes), end: () => link.end() });
  }

  get closed(): Promise<LinkEnd> {
    return this.#link.closed;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  call(method: string, body: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(closedError(method, 'it has ended'));
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(protocolErrors.create('FLEET_CALL_LATE', { method, timeoutMs }));
      });
      this.#waiting.set(id, { method, timer, resolve, reject });
      this.#send({ kind: 'call', id, method, body });
    });
  }

  note(method: string, body: unknown): void {
    if (!this.#isClosed) this.#send({ kind: 'note', method, body });
  }

  close(status: LinkStatus): void {
    this.#link.cancel(status);
  }

  #send(frame: Frame): void {
    this.#link.send(encoder.encode(JSON.stringify(frame)));
  }

  #take(bytes: Uint8Array): void {
    const frame = readFrame(bytes);
    if (frame === undefined) {
      this.#link.cancel({ code: grpcStatus.invalidArgument, message: 'a frame is no call, note or answer' });
      return;
    }
    if (frame.kind === 'call') void this.#answer(frame);
    else if (frame.kind === 'note') this.#handlers.note(frame.method, frame.body);
    else this.#settle(frame);
  }

  async #answer({ id, method, body }: Extract<Frame, { kind: 'call' }>): Promise<void> {
    try {
      const answer = await this.#handlers.call(method, body);
      this.#send({ kind: 'answer', id, body: answer });
    } catch (thrown) {
      const known = isPlatformError(thrown) ? thrown : undefined;
      const { http = 500, grpc = grpcStatus.internal } = known?.definition ?? {};
      this.#send({
        kind: 'error',
        id,
        error: { code: known?.code ?? 'UNEXPECTED', message: messageOf(thrown), http, grpc },
      });
    }
  }

  #settle(frame: Extract<Frame, { kind: 'answer' | 'error' }>): void {
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return;
    this.#waiting.delete(frame.id);
    waiting.timer.cancel();
    if (frame.kind === 'answer') waiting.resolve(frame.body);
    else waiting.reject(toError(frame.error));
  }

  #ended(reason: string): void {
    this.#isClosed = true;
    for (const { method, timer, reject } of this.#waiting.values()) {
      timer.cancel();
      reject(closedError(method, reason));
    }
    this.#waiting.clear();
  }
}

const closedError = (method: string, reason: string): PlatformError =>
  protocolErrors.create('FLEET_CHANNEL_CLOSED', { method, reason });

/** The error of the other end, with its code, status and text. */
function toError({ code, message, http, grpc }: SentError): PlatformError {
  const definition = { blame: 'platform', retry: 'never', http, grpc, exit: 1, message: '{message}' } as const;
  return new PlatformError(code, definition, { message });
}

function readFrame(bytes: Uint8Array): Frame | undefined {
  try {
    const json = JSON.parse(decoder.decode(bytes)) as Partial<Frame> | null;
    switch (json?.kind) {
      case 'call':
        return typeof json.method === 'string' && typeof json.id === 'number' ? (json as Frame) : undefined;
      case 'note':
        return typeof json.method === 'string' ? (json as Frame) : undefined;
      case 'answer':
        return typeof json.id === 'number' ? (json as Frame) : undefined;
      case 'error':
        return typeof json.id === 'number' && typeof json.error?.message === 'string' ? (json as Frame) : undefined;
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
