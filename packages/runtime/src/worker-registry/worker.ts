import { StateMachine } from '@switchyard/kernel';
import { type ApplicationDefinition, jobHostKey } from '@switchyard/model';
import type { LinkStatus, WorkerMetadata } from '@switchyard/protocol';
import type { InvocationError } from '@switchyard/triggers';
import type { WorkerStatus } from '../contract.ts';
import type { Call } from './call.ts';
import { noCapabilities, type WorkerCapabilities } from './capabilities.ts';
import { InFlight } from './in-flight.ts';
import { type WorkerState, workerEdges } from './worker-state.ts';

/** The way to a connected worker; its stream implements it. */
export interface WorkerChannel {
  /** Sends one serialized message. False means: accepted, but send no more before `drained`. */
  send(frame: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Asks the worker to end and gives it time for that; a worker that cannot be asked loses its stream. */
  terminate(): void;
  /** Ends the stream at once. */
  abort(status: LinkStatus): void;
}

/** What a worker said of itself when it was initialized. */
export interface WorkerDescription {
  readonly capabilities: WorkerCapabilities;
  readonly metadata: WorkerMetadata | undefined;
}

export interface WorkerOptions {
  readonly inFlightCapacity: number;
  readonly stderrLines: number;
  readonly onTransition: (worker: Worker, from: WorkerState, to: WorkerState) => void;
}

/**
 * One language process serving one app, as the Runtime knows it.
 *
 * Ownership: the registry owns it from its announcement to its end; the JobHost of its app moves it through its states;
 * the dispatcher fills `inFlight`.
 *
 * I1 `channel` is set exactly while a stream of this epoch is connected.
 * I2 The epoch grows with every stream, so what an older stream still says can be told apart and dropped.
 */
export class Worker {
  readonly workerId: string;
  readonly application: ApplicationDefinition;
  readonly jobHostKey: string;
  readonly inFlight: InFlight<Call>;
  /** Functions that this worker could not load, by function id. */
  readonly loadFailures = new Map<string, InvocationError>();
  /** Frames received in this epoch; the heartbeat compares it. */
  framesReceived = 0;
  /** The epoch that the worker's sidecar counts; 0 when there is none. */
  sidecarEpoch = 0;
  readonly #machine: StateMachine<WorkerState>;
  readonly #stderrLines: number;
  readonly #stderr: string[] = [];
  #epoch = 0;
  #channel: WorkerChannel | undefined;
  #description: WorkerDescription = { capabilities: noCapabilities, metadata: undefined };

  constructor(workerId: string, application: ApplicationDefinition, options: WorkerOptions) {
    this.workerId = workerId;
    this.application = application;
    this.jobHostKey = jobHostKey(application);
    this.inFlight = new InFlight(options.inFlightCapacity);
    this.#stderrLines = options.stderrLines;
    this.#machine = new StateMachine<WorkerState>({ kind: 'initializing' }, workerEdges, (from, to) =>
      options.onTransition(this, from, to),
    );
  }

  get state(): WorkerState {
    return this.#machine.state;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get channel(): WorkerChannel | undefined {
    return this.#channel;
  }

  get capabilities(): WorkerCapabilities {
    return this.#description.capabilities;
  }

  get runtimeName(): string {
    return this.#description.metadata?.runtimeName ?? '';
  }

  allows(kind: WorkerState['kind']): boolean {
    return this.#machine.allows(kind);
  }

  transition(state: WorkerState): void {
    this.#machine.transition(state);
  }

  /** A stream of this worker opened: the next epoch begins. */
  connect(channel: WorkerChannel): number {
    this.#channel = channel;
    this.#epoch += 1;
    this.framesReceived = 0;
    this.loadFailures.clear();
    return this.#epoch;
  }

  /** The stream of the current epoch ended. */
  disconnect(): void {
    this.#channel = undefined;
  }

  describe(description: WorkerDescription): void {
    this.#description = description;
  }

  /** Keeps a stderr line, for the message of an error that may follow. */
  keepStderr(line: string): void {
    this.#stderr.push(line);
    if (this.#stderr.length > this.#stderrLines) this.#stderr.shift();
  }

  /** The last stderr lines, oldest first. */
  get stderrTail(): readonly string[] {
    return this.#stderr;
  }

  status(): WorkerStatus {
    return {
      workerId: this.workerId,
      state: this.state.kind,
      inFlight: this.inFlight.size,
      runtimeName: this.runtimeName,
      runtimeVersion: this.#description.metadata?.runtimeVersion ?? '',
    };
  }
}
