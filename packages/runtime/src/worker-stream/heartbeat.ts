/**
 * Finds out whether a connected worker still lives.
 *
 * Every interval it asks for a status; any frame that came since then counts as life, so a busy worker is never doubted for
 * answering something else first. Ownership: the worker's session starts and stops it.
 *
 * I1 Only silence after a request counts as a miss; any frame takes all misses back.
 * I2 `onSilent` is called at every miss from the limit on, and not before.
 * I3 After `stop` nothing is sent or reported.
 */
import type { Clock, Random, Timer } from '@switchyard/kernel';
import { StreamingMessage } from '@switchyard/protocol';
import type { RuntimeLimits } from '../limits.ts';
import type { Worker } from '../worker-registry/worker.ts';

export interface HeartbeatDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #limits: RuntimeLimits;
  readonly #worker: Worker;
  readonly #onSilent: () => void;
  #timer: Timer;
  #isAsked = false;
  #framesSeen: number;
  #misses = 0;

  constructor(deps: HeartbeatDeps, limits: RuntimeLimits, worker: Worker, onSilent: () => void) {
    this.#deps = deps;
    this.#limits = limits;
    this.#worker = worker;
    this.#onSilent = onSilent;
    this.#framesSeen = worker.framesReceived;
    this.#timer = this.#arm();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#deps.clock.schedule(this.#limits.heartbeatMs, () => this.#beat());
  }

  #beat(): void {
    this.#timer = this.#arm();
    if (this.#worker.framesReceived !== this.#framesSeen) this.#misses = 0;
    else if (this.#isAsked) this.#misses += 1;
    this.#framesSeen = this.#worker.framesReceived;
    this.#isAsked = true;
    // The one message that carries a request id, as with the official host.
    const message = {
      requestId: this.#deps.random.uuid(),
      content: { $case: 'workerStatusRequest', value: {} },
    } as const;
    this.#worker.channel?.send(StreamingMessage.encode(message).finish());
    if (this.#misses >= this.#limits.heartbeatMisses) this.#onSilent();
  }
}
