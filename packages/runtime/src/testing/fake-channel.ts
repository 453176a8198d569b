import { createDeferred, type Deferred } from '@switchyard/kernel';
import { type LinkStatus, StreamingMessage } from '@switchyard/protocol';
import type { WorkerChannel } from '../worker-registry/worker.ts';

/** A channel that keeps what is sent, and is full when a test says so. */
export class FakeChannel implements WorkerChannel {
  readonly sent: StreamingMessage[] = [];
  readonly ends: ('terminate' | LinkStatus)[] = [];
  #full: Deferred<void> | undefined;

  /** From now on `send` answers false, until `drain`. */
  fill(): void {
    this.#full ??= createDeferred();
  }

  drain(): void {
    this.#full?.resolve();
    this.#full = undefined;
  }

  send(frame: Uint8Array): boolean {
    this.sent.push(StreamingMessage.decode(frame));
    return this.#full === undefined;
  }

  drained(): Promise<void> {
    return this.#full?.promise ?? Promise.resolve();
  }

  terminate(): void {
    this.ends.push('terminate');
  }

  abort(status: LinkStatus): void {
    this.ends.push(status);
  }

  /** The names of what was sent, in order. */
  get kinds(): (string | undefined)[] {
    return this.sent.map(({ content }) => content?.$case);
  }
}
