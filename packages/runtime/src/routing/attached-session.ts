/**
 * One stream of a worker that waits for an app.
 *
 * I1 The worker is initialized by the Runtime and asked for nothing else; then it waits, watched by heartbeats.
 * I2 What it says of itself after a reload replaces what it said at its start.
 * I3 Only one WorkerSpecialized is acted on; the worker is Specializing from then on.
 * I4 When the app is refused, or does not come within its time, the worker is given up: it may have seen the app's secrets.
 */
import { type PlatformError, type Timer, withDeadline } from '@switchyard/kernel';
import {
  type FunctionEnvironmentReloadResponse,
  grpcStatus,
  type InvocationResponse,
  type RpcLog,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy as Strategy,
  type WorkerClaims,
  type WorkerSpecialized,
} from '@switchyard/protocol';
import { runtimeErrors } from '../errors.ts';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { HandshakePlan } from '../worker-stream/handshake.ts';
import { Heartbeat } from '../worker-stream/heartbeat.ts';
import type { AttachedStream, Specialization, StreamSession } from '../worker-stream/stream-session.ts';
import type { PlaceholderHostsDeps, PlaceholderHostsOptions } from './placeholder-hosts.ts';

export interface AttachedSessionOptions {
  readonly worker: Worker;
  readonly claims: WorkerClaims;
  readonly channel: WorkerChannel;
  /** The worker waits here no more. */
  readonly onLeave: () => void;
}

/** The name of a capability that the worker reports, as in WorkerInitResponse. */
type Advertised = ReadonlyMap<string, string>;

export class AttachedSession implements StreamSession, AttachedStream {
  readonly worker: Worker;
  readonly plan: HandshakePlan;
  readonly #deps: PlaceholderHostsDeps;
  readonly #options: PlaceholderHostsOptions;
  readonly #claims: WorkerClaims;
  readonly #channel: WorkerChannel;
  readonly #onLeave: () => void;
  #heartbeat: Heartbeat | undefined;
  /** Runs out when a worker that announces its app does not do so. */
  #deadline: Timer | undefined;
  #isHere = true;

  constructor(deps: PlaceholderHostsDeps, options: PlaceholderHostsOptions, session: AttachedSessionOptions) {
    this.#deps = deps;
    this.#options = options;
    this.worker = session.worker;
    this.#claims = session.claims;
    this.#channel = session.channel;
    this.#onLeave = session.onLeave;
    this.plan = createWaitingPlan(options);
  }

  get attached(): AttachedStream {
    return this;
  }

  initialized(): void {}

  ready(): void {
    if (!this.#isHere) return;
    const { worker } = this;
    const { limits } = this.#options;
    worker.transition({ kind: 'placeholder' });
    if (worker.capabilities.status) {
      this.#heartbeat = new Heartbeat(this.#deps, limits, worker, () => this.#silent());
    }
    if (this.#claims.isPlaceholder) return;
    const timeoutMs = limits.announceMs;
    this.#deadline = this.#deps.clock.schedule(timeoutMs, () => {
      const error = runtimeErrors.create('WORKER_ANNOUNCE_TIMEOUT', { workerId: worker.workerId, timeoutMs });
      this.#channel.abort({ code: error.definition.grpc, message: error.message });
      this.failed(error);
    });
  }

  failed(error: PlatformError): void {
    const { workerId } = this.worker;
    this.#deps.log.write('warning', error.message, { category: 'Host.Worker', workerId, code: error.code });
    if (!this.#leave()) return;
    const { worker } = this;
    if (worker.state.kind === 'specializing') worker.transition({ kind: 'abandoned' });
    else if (worker.allows('lost')) worker.transition({ kind: 'lost' });
    this.#deps.supply.release(workerId, 'start-failed');
  }

  revived(): void {}

  log({ message, level }: RpcLog): void {
    const { workerId } = this.worker;
    this.#deps.log.write('debug', 'A placeholder logged.', { category: 'Host.Worker', workerId, level, text: message });
  }

  /** A placeholder was given nothing to answer. */
  answer(_response: InvocationResponse): void {}

  ended(reason: string): void {
    const { workerId } = this.worker;
    if (!this.#leave()) return;
    this.#deps.log.write('debug', 'A placeholder has left.', { category: 'Host.Worker', workerId, reason });
    if (this.worker.allows('lost')) this.worker.transition({ kind: 'lost' });
  }

  /** A newer stream of this worker takes the place of this one. */
  supersede(): void {
    const error = runtimeErrors.create('WORKER_SUPERSEDED', { workerId: this.worker.workerId });
    this.#channel.abort({ code: error.definition.grpc, message: error.message });
    this.ended(error.message);
  }

  /** The Runtime is about to stop. */
  dismiss(): void {
    this.#channel.abort({ code: grpcStatus.unavailable, message: 'the Runtime is shutting down' });
    this.ended('the Runtime is shutting down');
  }

  reloaded(response: FunctionEnvironmentReloadResponse): void {
    const isReplaced = response.capabilitiesUpdateStrategy === Strategy.replace;
    const advertised: Advertised = new Map([...(isReplaced ? [] : this.worker.advertised), ...response.capabilities]);
    this.worker.describe({
      advertised,
      capabilities: parseCapabilities(advertised),
      metadata: response.workerMetadata ?? this.worker.metadata,
    });
  }

  async specialize(message: WorkerSpecialized, metadata: Advertised): Promise<Specialization> {
    const { worker } = this;
    const { workerId } = worker;
    if (!this.#isHere || !worker.allows('specializing')) {
      return {
        kind: 'refused',
        error: runtimeErrors.create('WORKER_NOT_WAITING', { workerId, state: worker.state.kind }),
      };
    }
    worker.transition({ kind: 'specializing' });
    this.#deadline?.cancel();
    const { specializeMs: timeoutMs } = this.#options.limits;
    const late = (): PlatformError => runtimeErrors.create('WORKER_SPECIALIZE_TIMEOUT', { workerId, timeoutMs });
    try {
      const deciding = this.#deps.specializer.decide({ message, opened: this.#claims, metadata });
      return await withDeadline(this.#deps.clock, timeoutMs, deciding, late);
    } catch (thrown) {
      return { kind: 'refused', error: thrown as PlatformError };
    }
  }

  release(): boolean {
    return this.#leave();
  }

  /** Takes the worker out; false when it has left before. */
  #leave(): boolean {
    if (!this.#isHere) return false;
    this.#isHere = false;
    this.#heartbeat?.stop();
    this.#deadline?.cancel();
    if (this.worker.channel === this.#channel) this.worker.disconnect();
    this.#onLeave();
    return true;
  }

  #silent(): void {
    const { workerId } = this.worker;
    this.#deps.log.write('error', 'A worker is silent and counts as lost.', { category: 'Host.Worker', workerId });
    const message = 'the worker answered no status request';
    this.#channel.abort({ code: grpcStatus.deadlineExceeded, message });
    this.ended(message);
  }
}

/** Initialized, and nothing to load. */
function createWaitingPlan({ hostVersion, limits }: PlaceholderHostsOptions): HandshakePlan {
  return {
    initRequest: {
      hostVersion,
      capabilities: new Map([['MultiStream', '10']]),
      logCategories: new Map(),
      workerDirectory: '',
      functionAppDirectory: '',
    },
    initTimeoutMs: limits.placeholderInitMs,
    metadataTimeoutMs: limits.metadataMs,
    loadTimeoutMs: limits.loadMs,
    functionAppDirectory: '',
    join: (participant) => participant.load([]),
    leave: () => {},
    indexed: () => {},
    offered: (participant) => participant.load([]),
  };
}
