/**
 * The workers that the Runtime knows, by id.
 *
 * Purpose: let in only workers that the supply announced, or that showed a token; tell which app each of them serves, and carry the supply's news
 * to the one who acts on it. Ownership: the Runtime owns the registry; a Worker's states are moved by its JobHost.
 *
 * I1 Only ids that were announced or introduced are found; an id stays the same Worker until its process is gone.
 * I2 A worker whose process is gone is forgotten at once, any other departed one after `departedMs`.
 * I3 A worker that came back within that time is not forgotten.
 */
import type { Clock, Log, Timer } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { SupplyEvent, WorkerSupply } from '@switchyard/protocol';
import type { RuntimeLimits } from '../limits.ts';
import { Worker } from './worker.ts';
import type { WorkerState } from './worker-state.ts';

/** Who acts on what the supply reports. */
export interface RegistryObserver {
  expected(worker: Worker): void;
  console(worker: Worker, stream: 'stdout' | 'stderr', line: string): void;
  exited(worker: Worker, event: Extract<SupplyEvent, { kind: 'exited' }>): void;
  failed(event: Extract<SupplyEvent, { kind: 'failed' }>): void;
  /** The worker departed long ago, and nobody has reported the end of its process. */
  forgotten(worker: Worker): void;
}

export interface RegistryDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly supply: WorkerSupply;
}

/** States from which a worker serves nothing any more. */
const departedKinds: ReadonlySet<WorkerState['kind']> = new Set(['lost', 'stopped', 'abandoned']);

export class WorkerRegistry {
  readonly #deps: RegistryDeps;
  readonly #limits: RuntimeLimits;
  readonly #observer: RegistryObserver;
  readonly #workers = new Map<string, Worker>();
  readonly #departures = new Map<Worker, Timer>();
  #unwatch: () => void = () => {};

  constructor(deps: RegistryDeps, limits: RuntimeLimits, observer: RegistryObserver) {
    this.#deps = deps;
    this.#limits = limits;
    this.#observer = observer;
  }

  /** Starts to follow the supply. */
  open(): void {
    this.#unwatch = this.#deps.supply.watch((event) => this.#note(event));
  }

  close(): void {
    this.#unwatch();
    for (const timer of this.#departures.values()) timer.cancel();
    this.#departures.clear();
    this.#workers.clear();
  }

  get size(): number {
    return this.#workers.size;
  }

  find(workerId: string): Worker | undefined {
    return this.#workers.get(workerId);
  }

  /** A worker that was not announced, but has proved who it is. */
  introduce(workerId: string, application: ApplicationDefinition): Worker {
    const known = this.#workers.get(workerId);
    return known ?? this.#expect(workerId, application);
  }

  /** The workers of a JobHost, departed ones included. */
  ofJobHost(jobHostKey: string): Worker[] {
    return [...this.#workers.values()].filter((worker) => worker.jobHostKey === jobHostKey);
  }

  #note(event: SupplyEvent): void {
    if (event.kind === 'expected') this.introduce(event.workerId, event.application).isSupplied = true;
    else if (event.kind === 'failed') this.#observer.failed(event);
    else {
      const worker = this.#workers.get(event.workerId);
      if (worker === undefined) return;
      if (event.kind === 'console') {
        if (event.stream === 'stderr') worker.keepStderr(event.line);
        this.#observer.console(worker, event.stream, event.line);
        return;
      }
      this.#observer.exited(worker, event);
      this.#forget(worker);
    }
  }

  #expect(workerId: string, application: ApplicationDefinition): Worker {
    const worker = new Worker(workerId, application, {
      inFlightCapacity: this.#limits.inFlightPerWorker,
      stderrLines: this.#limits.stderrLines,
      onTransition: (moved, from, to) => this.#transitioned(moved, from, to),
    });
    this.#workers.set(workerId, worker);
    this.#observer.expected(worker);
    return worker;
  }

  #transitioned(worker: Worker, from: WorkerState, to: WorkerState): void {
    this.#deps.log.write('debug', 'Worker changed its state.', {
      workerId: worker.workerId,
      applicationId: worker.application.applicationId,
      from: from.kind,
      to: to.kind,
      epoch: worker.epoch,
    });
    this.#departures.get(worker)?.cancel();
    this.#departures.delete(worker);
    if (!departedKinds.has(to.kind) || this.#workers.get(worker.workerId) !== worker) return;
    const timer = this.#deps.clock.schedule(this.#limits.departedMs, () => {
      this.#forget(worker);
      this.#observer.forgotten(worker);
    });
    this.#departures.set(worker, timer);
  }

  #forget(worker: Worker): void {
    this.#departures.get(worker)?.cancel();
    this.#departures.delete(worker);
    if (this.#workers.get(worker.workerId) === worker) this.#workers.delete(worker.workerId);
  }
}
