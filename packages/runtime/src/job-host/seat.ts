import type { Timer } from '@switchyard/kernel';
import type { ReleaseReason } from '@switchyard/protocol';
import type { Worker } from '../worker-registry/worker.ts';
import type { Heartbeat } from '../worker-stream/heartbeat.ts';

/** What a pool keeps for each of its workers. */
export class Seat {
  readonly worker: Worker;
  /** True once the worker has been Ready. */
  wasReady = false;
  /** False once the worker was given back to the supply: its end is no news then. */
  isWanted = true;
  /** True while it gets nothing new and ends when it is done; it can be taken back until then. */
  isDraining = false;
  /** Why the supply gets it back once its stream is over; undefined unless it was told to end and is waited for. */
  leaving: ReleaseReason | undefined;
  #deadline: Timer | undefined;
  #heartbeat: Heartbeat | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
  }

  /** The one wait that is on for the worker: to connect, or to come back. Setting it cancels the one before. */
  set deadline(timer: Timer | undefined) {
    this.#deadline?.cancel();
    this.#deadline = timer;
  }

  startHeartbeat(heartbeat: Heartbeat): void {
    this.stopHeartbeat();
    this.#heartbeat = heartbeat;
  }

  stopHeartbeat(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
  }
}
