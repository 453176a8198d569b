/**
 * The placeholders that hang on this Runtime, by language, and how each of them becomes the worker of an app.
 *
 * Ownership: the Runtime owns it; a placeholder's worker belongs to it from its StartStream until an app takes it over.
 *
 * I1 There is one placeholder host per language; it is there as long as it has a worker.
 * I2 A placeholder is let in once per epoch; a newer stream of the same worker supersedes the older one.
 * I3 Only a placeholder, or the returning worker of an app, waits here; the worker of one app becomes no other's.
 * I4 A placeholder that leaves before it has an app is lost, and nothing of it stays but its entry in the registry.
 * I5 There are never more than `placeholders` of them.
 */
import type { Clock, ErrorDetails, Log, Random } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import { isPlaceholderId, placeholderDefinition, type WorkerClaims, type WorkerSupply } from '@switchyard/protocol';
import type { WorkerStatus } from '../contract.ts';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { WorkerRegistry } from '../worker-registry/worker-registry.ts';
import type { Admission } from '../worker-stream/worker-stream.ts';
import { AttachedSession } from './attached-session.ts';
import { PlaceholderHost } from './placeholder-host.ts';
import type { Specializer } from './specializer.ts';

export interface PlaceholderHostsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly supply: WorkerSupply;
  readonly registry: WorkerRegistry;
  readonly specializer: Specializer;
  /** Takes an older stream of the worker out of its app's service. */
  readonly supersede: (worker: Worker) => void;
}

export interface PlaceholderHostsOptions {
  readonly hostVersion: string;
  readonly limits: RuntimeLimits;
}

/** What a language may be called. */
const languagePattern = /^[a-z0-9][a-z0-9-]{0,39}$/i;

/** A worker in these states may open no further stream. */
const endedKinds: ReadonlySet<string> = new Set(['draining', 'stopped', 'abandoned']);

export class PlaceholderHosts {
  readonly #deps: PlaceholderHostsDeps;
  readonly #options: PlaceholderHostsOptions;
  readonly #hosts = new Map<string, PlaceholderHost>();
  readonly #sessions = new Map<Worker, AttachedSession>();

  constructor(deps: PlaceholderHostsDeps, options: PlaceholderHostsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get all(): readonly PlaceholderHost[] {
    return [...this.#hosts.values()];
  }

  /** Every worker that waits for an app. */
  status(): readonly WorkerStatus[] {
    return [...this.#sessions.keys()].map((worker) => worker.status());
  }

  /** Decides whether a worker may wait here. Its claims were verified. */
  attach(claims: WorkerClaims, channel: WorkerChannel): Admission {
    const { workerId, language, epoch, application } = claims;
    const refused = (code: RuntimeErrorCode, details: ErrorDetails = {}): Admission => {
      return { kind: 'refused', error: runtimeErrors.create(code, { workerId, ...details }) };
    };
    const { limits } = this.#options;
    if (workerId === '') return refused('WORKER_CONTEXT_INVALID', { name: 'worker_id', value: '' });
    if (!languagePattern.test(language)) {
      return refused('WORKER_CONTEXT_INVALID', { name: 'Language', value: language.slice(0, 60) });
    }
    const definition = placeholderDefinition(language);
    const key = jobHostKey(definition);
    const worker = this.#deps.registry.introduce(workerId, definition);
    const { kind } = worker.state;
    if (endedKinds.has(kind)) return refused('WORKER_ENDED', { state: kind });
    const isOwn = worker.isPlaceholder ? worker.jobHostKey === key : worker.jobHostKey === jobHostKey(application);
    if (!isOwn) return refused('WORKER_FOREIGN', { jobHostKey: key, reason: 'it is known as a worker of another app' });
    const latest = worker.sidecarEpoch;
    if (epoch < latest || (epoch === latest && epoch > 0)) return refused('WORKER_EPOCH_STALE', { epoch, latest });
    if (!this.#sessions.has(worker) && this.#sessions.size >= limits.placeholders) {
      return refused('WORKER_PLACEHOLDERS_LIMIT', { limit: limits.placeholders });
    }
    worker.sidecarEpoch = epoch;
    this.#supersede(worker);
    if (worker.state.kind === 'lost') worker.transition({ kind: 'initializing' });
    worker.connect(channel);
    return { kind: 'admitted', session: this.#open(worker, key, claims, channel) };
  }

  /** The Runtime is about to stop: lets everybody go. */
  dismiss(): void {
    for (const session of [...this.#sessions.values()]) session.dismiss();
  }

  #open(worker: Worker, key: string, claims: WorkerClaims, channel: WorkerChannel): AttachedSession {
    const host = this.#hosts.get(key) ?? new PlaceholderHost(key);
    this.#hosts.set(key, host);
    host.add(worker);
    const session = new AttachedSession(this.#deps, this.#options, { worker, claims, channel, onLeave: () => leave() });
    const leave = (): void => {
      if (this.#sessions.get(worker) === session) this.#sessions.delete(worker);
      host.delete(worker);
      if (host.isEmpty && this.#hosts.get(key) === host) this.#hosts.delete(key);
    };
    this.#sessions.set(worker, session);
    return session;
  }

  /** A half-open stream may still be here when its worker has long dialled again. */
  #supersede(worker: Worker): void {
    const waiting = this.#sessions.get(worker);
    if (waiting !== undefined) waiting.supersede();
    else if (worker.channel !== undefined && !isPlaceholderId(worker.application.applicationId)) {
      this.#deps.supersede(worker);
    }
  }
}
