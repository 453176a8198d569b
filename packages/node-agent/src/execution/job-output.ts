/**
 * The output of a running job: both streams within their limit, and whoever follows them live.
 *
 * Ownership: the executor writes; followers come and go.
 *
 * I1 A follower gets what is kept so far, then every later chunk of a stream, in order and once. A character that is
 *    cut in two by its coming may be replaced.
 * I2 A follower that does not keep up loses chunks and is told so; it never holds the job up.
 * I3 After `end` every follower ends, also one that comes later.
 */
import { StringDecoder } from 'node:string_decoder';
import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { OutputStream } from '../driver/contract.ts';
import { BoundedOutput } from './bounded-output.ts';

/** What a follower gets. */
export type OutputEvent =
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly text: string }
  /** The follower was too slow; so many chunks are missing here. */
  | { readonly kind: 'missed'; readonly chunks: number }
  /** Everything comes again from the beginning. */
  | { readonly kind: 'restarted' };

const streams = ['stdout', 'stderr'] as const;

/** Chunks that wait for a follower. */
const maxWaitingChunks = 1_024;

export class JobOutput {
  readonly #kept: Readonly<Record<OutputStream, BoundedOutput>>;
  readonly #decoders: Record<OutputStream, StringDecoder> = newDecoders();
  readonly #followers = new Set<Follower>();
  #ended = false;

  constructor(capacity: number) {
    this.#kept = { stdout: new BoundedOutput(capacity), stderr: new BoundedOutput(capacity) };
  }

  write(stream: OutputStream, bytes: Uint8Array): void {
    this.#kept[stream].write(bytes);
    if (this.#followers.size === 0) return;
    const text = this.#decoders[stream].write(Buffer.from(bytes));
    if (text !== '') this.#tell({ kind: 'output', stream, text });
  }

  /** What was written so far comes again. */
  restart(): void {
    for (const stream of streams) {
      this.#kept[stream].clear();
      this.#decoders[stream].end();
    }
    this.#tell({ kind: 'restarted' });
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    for (const follower of this.#followers) follower.end();
    this.#followers.clear();
  }

  /** Everything that is kept. */
  kept(): Readonly<Record<OutputStream, { readonly text: string; readonly droppedBytes: number }>> {
    const of = (stream: OutputStream) => {
      return { text: this.#kept[stream].text(), droppedBytes: this.#kept[stream].droppedBytes };
    };
    return { stdout: of('stdout'), stderr: of('stderr') };
  }

  /** Ends when the job does, or with the signal. */
  async *follow(signal: AbortSignal): AsyncGenerator<OutputEvent> {
    const follower = new Follower();
    const kept = this.kept();
    for (const stream of streams) {
      const { text } = kept[stream];
      if (text !== '') follower.tell({ kind: 'output', stream, text });
    }
    if (this.#ended) follower.end();
    else this.#followers.add(follower);
    const stop = (): void => follower.end();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      yield* follower.events();
    } finally {
      signal.removeEventListener('abort', stop);
      this.#followers.delete(follower);
    }
  }

  #tell(event: OutputEvent): void {
    for (const follower of this.#followers) follower.tell(event);
  }
}

function newDecoders(): Record<OutputStream, StringDecoder> {
  return { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
}

class Follower {
  #waiting: OutputEvent[] = [];
  #missed = 0;
  #ended = false;
  #wake: Deferred<void> = createDeferred();

  tell(event: OutputEvent): void {
    if (this.#waiting.length >= maxWaitingChunks) this.#missed += 1;
    else this.#waiting.push(event);
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *events(): AsyncGenerator<OutputEvent> {
    for (;;) {
      const batch = this.#waiting;
      const missed = this.#missed;
      this.#waiting = [];
      this.#missed = 0;
      yield* batch;
      if (missed > 0) yield { kind: 'missed', chunks: missed };
      if (this.#waiting.length > 0 || this.#missed > 0) continue;
      if (this.#ended) return;
      this.#wake = createDeferred();
      await this.#wake.promise;
    }
  }
}
