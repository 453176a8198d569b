/**
 * A link over a bad network: two links in memory, and between them a stretch that a test delays, pauses and cuts.
 *
 * A Link never loses, repeats or reorders a frame, so neither does this one: the only loss is a cut, which both ends see.
 * Ownership: the world owns the stretch; each end belongs to whoever was given it.
 *
 * I1 Frames arrive in order, each once, however their delays fall.
 * I2 While paused nothing arrives, in either direction; afterwards everything does.
 * I3 A cut ends both ends, paused or not, and nothing arrives after it.
 * I4 How the acceptor ended the link reaches the opener after the frames in front of it; a cancellation of the opener
 *    overtakes everything, as a process that dies does.
 * I5 More than `maxFramesUnderway` frames in one direction pause its sender.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import { createMemoryLinkPair, grpcStatus, type Link, type LinkStatus } from '@switchyard/protocol';

export interface FaultyLinkOptions {
  /** How long the next frame takes, in milliseconds. */
  readonly delayMs: () => number;
}

export interface FaultyLink {
  readonly opener: Link;
  readonly acceptor: Link;
  readonly isOpen: boolean;
  pause(): void;
  resume(): void;
  cut(): void;
}

/** Frames on their way in one direction; more wait at their sender. */
export const maxFramesUnderway = 256;

const connectionLost: LinkStatus = { code: grpcStatus.unavailable, message: 'the simulated network was cut' };

export function createFaultyLink(clock: Clock, options: FaultyLinkOptions): FaultyLink {
  const near = createMemoryLinkPair();
  const far = createMemoryLinkPair();
  const up = new Stretch(clock, options, near.acceptor);
  const down = new Stretch(clock, options, far.opener);
  let isOpen = true;
  const close = (status: LinkStatus): void => {
    if (!isOpen) return;
    isOpen = false;
    up.close();
    down.close();
    near.acceptor.cancel(status);
    far.opener.cancel(status);
  };
  near.acceptor.receive({
    frame: (bytes) => up.carry(() => far.opener.send(bytes)),
    end: () => up.carry(() => far.opener.end()),
  });
  far.opener.receive({ frame: (bytes) => down.carry(() => near.acceptor.send(bytes)) });
  void near.acceptor.closed.then(close);
  void far.opener.closed.then(({ code, message }) => {
    down.carry(() => {
      near.acceptor.end({ code, message });
      isOpen = false;
      up.close();
    });
  });
  return {
    opener: near.opener,
    acceptor: far.acceptor,
    get isOpen() {
      return isOpen;
    },
    pause() {
      up.pause();
      down.pause();
    },
    resume() {
      up.resume();
      down.resume();
    },
    cut: () => close(connectionLost),
  };
}

interface Underway {
  readonly dueMs: number;
  readonly arrive: () => void;
}

/** One direction. */
class Stretch {
  readonly #clock: Clock;
  readonly #options: FaultyLinkOptions;
  readonly #source: Link;
  #underway: Underway[] = [];
  #timer: Timer | undefined;
  #state: 'open' | 'paused' | 'closed' = 'open';
  #lastDueMs = 0;

  constructor(clock: Clock, options: FaultyLinkOptions, source: Link) {
    this.#clock = clock;
    this.#options = options;
    this.#source = source;
  }

  carry(arrive: () => void): void {
    if (this.#state === 'closed') return;
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#clock.now() + this.#options.delayMs());
    this.#underway.push({ dueMs: this.#lastDueMs, arrive });
    if (this.#underway.length > maxFramesUnderway) this.#source.pause();
    this.#deliver();
  }

  pause(): void {
    if (this.#state !== 'open') return;
    this.#state = 'paused';
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    this.#deliver();
  }

  close(): void {
    this.pause();
    this.#state = 'closed';
    this.#underway = [];
  }

  /** Lets arrive what is due, and sets the timer for the next one. */
  #deliver(): void {
    if (this.#state !== 'open' || this.#timer !== undefined) return;
    while ((this.#underway[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= this.#clock.now()) {
      this.#underway.shift()?.arrive();
    }
    if (this.#underway.length <= maxFramesUnderway) this.#source.resume();
    const next = this.#underway[0];
    if (next === undefined) return;
    this.#timer = this.#clock.schedule(next.dueMs - this.#clock.now(), () => {
      this.#timer = undefined;
      this.#deliver();
    });
  }
}
