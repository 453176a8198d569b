import { invariant, StateMachine } from '@switchyard/kernel';
import { type ApplicationDefinition, jobHostKey } from '@switchyard/model';
import { isPlaceholderId, type LinkStatus, type WorkerMetadata } from '@switchyard/protocol';
import type { InvocationError } from '@switchyard/triggers';
import type { WorkerStatus } from '../contract.ts';
import type { EnvironmentUpdate } from '../worker-restart/environment-update.ts';
import type { WorkerRestart } from '../worker-restart/worker-restart.ts';
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
  /** The capabilities as the worker named them. */
  readonly advertised?: ReadonlyMap<string, string>;
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
 * I3 A worker changes its app at most once: from a placeholder's to a real one.
 */
export class Worker {
  readonly workerId: string;
  readonly inFlight: InFlight<Call>;
  /** Functions that this worker could not load, by function id. */
  readonly loadFailures = new Map<string, InvocationError>();
  /** Frames received in this epoch; the heartbeat compares it. */
  framesReceived = 0;
  /** The epoch that the worker's sidecar counts; 0 when there is none. */
  sidecarEpoch = 0;
  /** True once the supply has named it: the supply then ends it when it is released. */
  isSupplied = false;
  /** The restart that its sidecar was asked for; gone when it was refused, and when the worker is back. */
  restart: WorkerRestart | undefined;
  /** The change of its environment that it was told of and has not answered. */
  update: EnvironmentUpdate | undefined;
  /** The variables that it was told of last, beside those that it was started with. */
  environment: ReadonlyMap<string, string> | undefined;
  readonly #machine: StateMachine<WorkerState>;
  readonly #stderrLines: number;
  readonly #stderr: string[] = [];
  #application: ApplicationDefinition;
  #epoch = 0;
  #channel: WorkerChannel | undefined;
  #description: WorkerDescription = { capabilities: noCapabilities, metadata: undefined };

  constructor(workerId: string, application: ApplicationDefinition, options: WorkerOptions) {
    this.workerId = workerId;
    this.#application = application;
    this.inFlight = new InFlight(options.inFlightCapacity);
    this.#stderrLines = options.stderrLines;
    this.#machine = new StateMachine<WorkerState>({ kind: 'initializing' }, workerEdges, (from, to) =>
      options.onTransition(this, from, to),
    );
  }

  /** The app that it serves; a placeholder has that of its language. */
  get application(): ApplicationDefinition {
    return this.#application;
  }

  get jobHostKey(): string {
    return jobHostKey(this.#application);
  }

  get isPlaceholder(): boolean {
    return isPlaceholderId(this.#application.applicationId);
  }

  /** The placeholder is the worker of this app from now on. A worker of the same app stays it. */
  specialize(application: ApplicationDefinition): void {
    const isSame = fullKey(this.#application) === fullKey(application);
    invariant(isSame || this.isPlaceholder, `worker ${this.workerId} serves ${this.jobHostKey} already`);
    this.#application = application;
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

  /** The capabilities as the worker named them. */
  get advertised(): ReadonlyMap<string, string> {
    return this.#description.advertised ?? new Map();
  }

  get metadata(): WorkerMetadata | undefined {
    return this.#description.metadata;
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
    this.restart?.fail('it came with another stream');
    this.restart = undefined;
    return this.#epoch;
  }

  /** The stream of the current epoch ended. */
  disconnect(): void {
    this.#channel = undefined;
    this.restart?.fail('its stream ended before an answer came');
    this.update?.fail('its stream ended before an answer came');
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

function fullKey(definition: ApplicationDefinition): string {
  return `${jobHostKey(definition)}:${definition.codeVersion}`;
}
