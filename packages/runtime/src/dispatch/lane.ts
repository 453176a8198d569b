import type { Timer } from '@switchyard/kernel';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';

/** The way to one connected worker, for as long as this connection lasts. The dispatcher owns it. */
export class Lane {
  readonly worker: Worker;
  readonly channel: WorkerChannel;
  /** True between a `send` that answered false and the channel's `drained`. */
  isBlocked = false;
  /** The most calls that it takes at once. */
  limit = Number.POSITIVE_INFINITY;
  /** True while its worker gets nothing new, so that it can end without a loss. */
  isClosing = false;
  /** Runs when the invocation that has run longest may be out of time. */
  deadline: Timer | undefined;

  constructor(worker: Worker, channel: WorkerChannel) {
    this.worker = worker;
    this.channel = channel;
  }

  /** True while its worker serves, busy or not. */
  get isMember(): boolean {
    return !this.isClosing && this.worker.state.kind === 'ready';
  }

  /** True when the next call may take it. */
  get isOpen(): boolean {
    return this.room > 0;
  }

  /** How many calls it takes now. */
  get room(): number {
    const { inFlight } = this.worker;
    if (this.isBlocked || !this.isMember) return 0;
    return Math.max(0, Math.min(inFlight.room, this.limit - inFlight.size));
  }
}
