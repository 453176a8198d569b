import { createDeferred } from '@switchyard/kernel';
import type { Link, LinkEnd, LinkReceiver, LinkStatus } from '@switchyard/protocol';

class MemoryEnd implements Link {
  readonly peer: string;
  readonly metadata = new Map<string, string>();
  readonly bufferedBytes = 0;
  readonly #closed = createDeferred<LinkEnd>();
  readonly closed = this.#closed.promise;
  other: MemoryEnd | undefined;
  #receiver: LinkReceiver | undefined;
  #inbox: (Uint8Array | 'end')[] = [];
  #isClosed = false;
  #isEnded = false;
  #peerEnded = false;
  #isScheduled = false;

  constructor(peer: string) {
    this.peer = peer;
  }

  send(frame: Uint8Array): boolean {
    if (this.#isClosed || this.#isEnded) return false;
    this.other?.take(frame);
    return true;
  }

  async drained(): Promise<void> {}

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    if (this.#isClosed || this.#isEnded) return;
    this.#isEnded = true;
    this.other?.take('end');
    this.#closeIfBothEnded();
  }

  cancel(status: LinkStatus): void {
    this.close({ ...status, origin: 'local' });
    this.other?.close({ ...status, origin: 'peer' });
  }

  take(item: Uint8Array | 'end'): void {
    this.#inbox.push(item);
    this.#schedule();
  }

  close(end: LinkEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed.resolve(end);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#receiver === undefined) return;
    this.#isScheduled = true;
    Promise.resolve().then(() => {
      this.#isScheduled = false;
      const items = this.#inbox;
      this.#inbox = [];
      for (const item of items) {
        if (this.#isClosed) return;
        if (item !== 'end') this.#receiver?.frame(item);
        else {
          this.#peerEnded = true;
          this.#receiver?.end?.();
          this.#closeIfBothEnded();
        }
      }
    });
  }

  #closeIfBothEnded(): void {
    if (!this.#isEnded || !this.#peerEnded) return;
    this.close({ code: 0, message: '', origin: 'peer' });
  }
}

export function createMemoryLinkPair(): { readonly worker: Link; readonly host: Link } {
  const worker = new MemoryEnd('host');
  const host = new MemoryEnd('worker');
  worker.other = host;
  host.other = worker;
  return { worker, host };
}
