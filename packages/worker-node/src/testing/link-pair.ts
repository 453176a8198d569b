/**
 * Two Links that are joined in memory, for tests of one end. Congestion is what the test says it is.
 *
 * I1 Frames arrive in order, each once, and not before the end has a receiver or while it is paused.
 * I2 Both ends close with the same status, once.
 */
import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { Link, LinkEnd, LinkReceiver, LinkStatus } from '@switchyard/protocol';

export class LinkPairEnd implements Link {
  readonly peer: string;
  readonly metadata: ReadonlyMap<string, string> = new Map();
  /** Everything that was sent from here. */
  readonly sent: Uint8Array[] = [];
  #other: LinkPairEnd | undefined;
  #receiver: LinkReceiver | undefined;
  #reading: 'running' | 'paused' = 'running';
  #incoming: Uint8Array[] = [];
  #congestion: Deferred<void> | undefined;
  #ending: 'open' | 'half-closed' | 'closed' = 'open';
  readonly #closed = createDeferred<LinkEnd>();

  constructor(peer: string) {
    this.peer = peer;
  }

  get bufferedBytes(): number {
    return this.#other?.waitingBytes ?? 0;
  }

  get waitingBytes(): number {
    return this.#incoming.reduce((sum, frame) => sum + frame.length, 0);
  }

  get closed(): Promise<LinkEnd> {
    return this.#closed.promise;
  }

  get isPaused(): boolean {
    return this.#reading === 'paused';
  }

  join(other: LinkPairEnd): void {
    this.#other = other;
  }

  /** From now on `send` answers false, until `relieve`. */
  congest(): void {
    this.#congestion ??= createDeferred();
  }

  relieve(): void {
    const congestion = this.#congestion;
    this.#congestion = undefined;
    congestion?.resolve();
  }

  send(frame: Uint8Array): boolean {
    if (this.#ending === 'closed') return false;
    this.sent.push(frame);
    this.#other?.take(frame);
    return this.#congestion === undefined;
  }

  async drained(): Promise<void> {
    await this.#congestion?.promise;
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    this.#deliver();
  }

  pause(): void {
    this.#reading = 'paused';
  }

  resume(): void {
    this.#reading = 'running';
    this.#deliver();
  }

  end(status: LinkStatus = { code: 0, message: '' }): void {
    if (this.#ending !== 'open') return;
    this.#ending = 'half-closed';
    this.#other?.takeEnd(status);
  }

  cancel(status: LinkStatus): void {
    this.close({ ...status, origin: 'local' });
    this.#other?.close({ ...status, origin: 'peer' });
  }

  close(end: LinkEnd): void {
    if (this.#ending === 'closed') return;
    this.#ending = 'closed';
    this.#incoming = [];
    this.#closed.resolve(end);
    this.relieve();
  }

  take(frame: Uint8Array): void {
    this.#incoming.push(frame);
    this.#deliver();
  }

  takeEnd(status: LinkStatus): void {
    void Promise.resolve().then(() => {
      this.#receiver?.end?.();
      if (this.#ending === 'open' && status.code === 0) return;
      this.close({ ...status, origin: 'peer' });
      this.#other?.close({ ...status, origin: 'local' });
    });
  }

  #deliver(): void {
    void Promise.resolve().then(() => {
      while (this.#receiver && this.#reading === 'running') {
        const frame = this.#incoming.shift();
        if (!frame) return;
        this.#receiver.frame(frame);
      }
    });
  }
}

/** The two ends: one for the code under test, one for the test. */
export function createLinkPair(): { readonly near: LinkPairEnd; readonly far: LinkPairEnd } {
  const near = new LinkPairEnd('far');
  const far = new LinkPairEnd('near');
  near.join(far);
  far.join(near);
  return { near, far };
}
