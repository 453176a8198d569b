import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * The body of a caller's request on its way to a worker. It is read no faster than the worker takes it. Until the first byte
 * was read it may be started again, with another request to the worker.
 */
export class Upload {
  readonly #incoming: IncomingMessage;
  readonly #onBytes: () => void;
  #request: ClientRequest | undefined;
  #sizeBytes = 0;

  /** `onBytes` is called whenever bytes were read. */
  constructor(incoming: IncomingMessage, onBytes: () => void) {
    this.#incoming = incoming;
    this.#onBytes = onBytes;
  }

  /** Bytes that were read so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  startTo(request: ClientRequest): void {
    const isFirst = this.#request === undefined;
    this.#request = request;
    if (isFirst) this.#listen();
    this.#incoming.pipe(request, { end: false });
  }

  #listen(): void {
    this.#incoming.on('data', (chunk: Uint8Array) => {
      this.#sizeBytes += chunk.byteLength;
      this.#onBytes();
    });
    this.#incoming.once('end', () => {
      const request = this.#request;
      if (request === undefined || request.destroyed) return;
      request.addTrailers(toPairs(this.#incoming.rawTrailers));
      request.end();
    });
  }
}

/** Node's flat list of headers as pairs. */
export function toPairs(raw: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return pairs;
}
