import type { PlatformError } from '@switchyard/kernel';
import type { InvocationResponse, RpcLog } from '@switchyard/protocol';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { HandshakePlan } from '../worker-stream/handshake.ts';
import { Heartbeat } from '../worker-stream/heartbeat.ts';
import type { StreamSession } from '../worker-stream/worker-stream.ts';
import type { Seat } from './seat.ts';
import type { WorkerPool, WorkerPoolDeps, WorkerPoolOptions } from './worker-pool.ts';

/** The line by which editors know that the worker is there; its text is the official host's. */
const initializedMessage = 'Worker process started and initialized.';

/** One stream of a worker, as its pool sees it. A stream that was superseded has no say any more. */
export class WorkerSession implements StreamSession {
  readonly worker: Worker;
  readonly plan: HandshakePlan;
  readonly #pool: WorkerPool;
  readonly #deps: WorkerPoolDeps;
  readonly #options: WorkerPoolOptions;
  readonly #seat: Seat;
  readonly #channel: WorkerChannel;
  readonly #epoch: number;

  constructor(pool: WorkerPool, deps: WorkerPoolDeps, options: WorkerPoolOptions, seat: Seat, channel: WorkerChannel) {
    this.#pool = pool;
    this.#deps = deps;
    this.#options = options;
    this.#seat = seat;
    this.#channel = channel;
    this.worker = seat.worker;
    this.plan = options.plan;
    this.#epoch = seat.worker.epoch;
  }

  initialized(): void {
    if (!this.#isCurrent) return;
    this.worker.transition({ kind: 'loading' });
    this.#deps.log.write('information', initializedMessage, {
      category: 'Host.Startup',
      workerId: this.worker.workerId,
      runtime: this.worker.runtimeName,
    });
  }

  ready(): void {
    if (!this.#isCurrent) return;
    const { worker } = this;
    this.#reportLoadFailures();
    this.#pool.started(this.#seat);
    worker.transition({ kind: 'ready' });
    if (worker.capabilities.status) {
      const onSilent = (): void => this.#pool.silent(this.#seat);
      this.#seat.startHeartbeat(new Heartbeat(this.#deps, this.#options.limits, worker, onSilent));
    }
    this.#deps.dispatcher.addWorker(worker, this.#channel);
    this.#options.onChange();
  }

  failed(error: PlatformError): void {
    if (!this.#isCurrent) return;
    const isBroken = error.code === 'WORKER_FRAME_INVALID';
    this.#pool.startFailed(this.#seat, error, isBroken ? 'protocol-error' : 'start-failed');
  }

  revived(): void {
    this.#pool.recovered(this.worker, 'silent');
  }

  log(line: RpcLog): void {
    this.#deps.relay.relay(this.worker, line);
  }

  answer(response: InvocationResponse): void {
    if (this.#isCurrent) this.#deps.dispatcher.answer(this.worker, response);
  }

  ended(reason: string): void {
    if (this.#isCurrent) this.#pool.dropped(this.#seat, reason);
  }

  get #isCurrent(): boolean {
    return this.worker.epoch === this.#epoch && this.worker.channel === this.#channel;
  }

  #reportLoadFailures(): void {
    for (const [functionId, error] of this.worker.loadFailures) {
      this.#deps.log.write('error', 'A function could not be loaded; its invocations will fail.', {
        category: 'Host.Function.Load',
        workerId: this.worker.workerId,
        functionId,
        exception: error.stack === '' ? error.message : error.stack,
      });
    }
  }
}
