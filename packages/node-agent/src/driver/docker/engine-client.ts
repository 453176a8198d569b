/**
 * A thin client of the Docker Engine API over its Unix socket; Podman's compatible socket works too. Paths carry no
 * version, so that the engine answers in its own.
 *
 * Ownership: the driver makes one and closes it.
 *
 * I1 An engine that cannot be reached is ENGINE_UNREACHABLE; one that answers with an error is ENGINE_REFUSED with its
 *    words and status.
 * I2 Every call that is not a stream ends within its deadline.
 */
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, isPlatformError, messageOf } from '@switchyard/kernel';
import { agentErrors } from '../../errors.ts';
import { type Progress, readProgress } from './engine-progress.ts';

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Values that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  /** A tar archive. */
  readonly tar?: Buffer;
  readonly signal?: AbortSignal | undefined;
  /** For the answer's head, or for all of it where it is read here; `Infinity` waits for ever. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;
/** Larger than any answer that is read whole. */
const maxAnswerBytes = 32 * 1024 * 1024;

export class EngineClient {
  readonly #clock: Clock;
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 8 });

  constructor(clock: Clock, socketPath: string) {
    this.#clock = clock;
    this.#socketPath = socketPath;
  }

  /** Sends a call and reads the answer as JSON; undefined when it is empty. */
  async send(call: EngineCall): Promise<unknown> {
    return await this.#read(call, (text) => (text.trim() === '' ? undefined : JSON.parse(text)));
  }

  /** Sends a call and reads the answer as JSON, a value in each line. */
  async sendForLines(call: EngineCall): Promise<readonly unknown[]> {
    const parse = (text: string): readonly unknown[] =>
      text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line)]));
    return await this.#read(call, parse);
  }

  /**
   * Sends a call and hands the answer's body on as it comes. The call's signal cuts it off; destroy it when it is not read
   * to its end.
   */
  async stream(call: EngineCall): Promise<IncomingMessage> {
    const body = await this.#within(call, (signal) => this.#open(call, signal));
    const { signal } = call;
    if (signal === undefined) return body;
    const cut = (): void => {
      body.destroy(signal.reason);
    };
    signal.addEventListener('abort', cut, { once: true });
    body.once('close', () => signal.removeEventListener('abort', cut));
    if (signal.aborted) cut();
    return body;
  }

  /** Sends a call whose answer tells how the work goes on, and waits for its end. */
  async progress(call: EngineCall): Promise<Progress> {
    const body = await this.stream(call);
    try {
      return await readProgress(body);
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      throw this.#unreachable(error);
    } finally {
      body.destroy();
    }
  }

  /** Turns the connection into one that carries the streams of a container, in both directions. */
  async hijack(call: EngineCall): Promise<Duplex> {
    return await this.#within(call, async (signal) => {
      const outgoing = this.#request(call, signal, { connection: 'Upgrade', upgrade: 'tcp' }, false);
      return await new Promise<Duplex>((resolve, reject) => {
        outgoing.once('error', (error) => reject(this.#unreachable(error)));
        outgoing.once('upgrade', (_, socket, head) => {
          if (head.length > 0) socket.unshift(head);
          resolve(socket);
        });
        outgoing.once('response', (response) => {
          readAll(response).then((body) => reject(refusal(call, response.statusCode ?? 0, body)), reject);
        });
        outgoing.end();
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #read<T>(call: EngineCall, parse: (text: string) => T): Promise<T> {
    return await this.#within(call, async (signal) => {
      const response = await this.#open(call, signal);
      return parse((await readAll(response)).toString('utf8'));
    });
  }

  async #open(call: EngineCall, signal: AbortSignal): Promise<IncomingMessage> {
    const outgoing = this.#request(call, signal, {}, true);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('error', (error) => reject(this.#unreachable(error)));
      outgoing.once('response', resolve);
      if (call.json !== undefined) outgoing.end(JSON.stringify(call.json));
      else outgoing.end(call.tar);
    });
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw refusal(call, status, await readAll(response));
  }

  #request(call: EngineCall, signal: AbortSignal, extra: Record<string, string>, pooled: boolean): ClientRequest {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    const text = query.size === 0 ? '' : `?${query}`;
    const contentType = call.tar === undefined ? 'application/json' : 'application/x-tar';
    const options: RequestOptions = {
      socketPath: this.#socketPath,
      agent: pooled ? this.#agent : false,
      method: call.method,
      path: `${call.path}${text}`,
      headers: { host: 'engine', 'content-type': contentType, ...extra },
      signal,
    };
    return request(options);
  }

  /** Gives a call a signal that aborts with the caller's, or at the deadline. */
  async #within<T>(
    { signal, timeoutMs = defaultTimeoutMs }: EngineCall,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const own = new AbortController();
    const abort = (): void => own.abort(signal?.reason);
    const late = new Error(`no answer within ${timeoutMs} ms`);
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.schedule(timeoutMs, () => own.abort(late));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await work(own.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw own.signal.aborted ? this.#unreachable(late) : isPlatformError(error) ? error : this.#unreachable(error);
    } finally {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  #unreachable(error: unknown): Error {
    if (isPlatformError(error)) return error;
    return agentErrors.create('ENGINE_UNREACHABLE', { socket: this.#socketPath, reason: messageOf(error) }, error);
  }
}

/** The status of a refusal; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  if (!isPlatformError(error) || error.code !== 'ENGINE_REFUSED') return undefined;
  return Number(error.details.status);
}

/** What the engine said; the whole message for any other error. */
export function reasonOf(error: unknown): string {
  return isPlatformError(error) && error.code === 'ENGINE_REFUSED' ? String(error.details.reason) : messageOf(error);
}

/** True when the engine could not be reached. */
export function isUnreachable(error: unknown): boolean {
  return isPlatformError(error) && error.code === 'ENGINE_UNREACHABLE';
}

function refusal({ method, path }: EngineCall, status: number, body: Buffer): Error {
  return agentErrors.create('ENGINE_REFUSED', { method, path, status, reason: messageIn(body.toString('utf8')) });
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    return typeof message === 'string' ? message : text;
  } catch {
    return text.trim();
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxAnswerBytes) throw new Error(`the engine's answer is larger than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
