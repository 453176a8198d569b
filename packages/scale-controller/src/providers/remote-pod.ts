/**
 * A pod that runs elsewhere and takes its app over the sidecar's own port, whoever runs it.
 *
 * Phases: starting -> warm -> stopping -> ended; it may end from each of them. Ownership: its provider.
 *
 * I1 It is warm once, and ends once with the first reason that it was told.
 * I2 An assignment whose end nobody knows counts as failed and tainted; a sidecar that refuses has seen nothing.
 * I3 Each assignment carries a token that was made for this pod, where sidecars ask for one.
 */
import { createDeferred, type PlatformError, type Secret } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Assignment, AssignOutcome, Pod, PodEnd } from '@switchyard/protocol';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { assignOverHttp } from './assign-over-http.ts';

export interface RemotePodDeps {
  /** Reaches the sidecars. */
  readonly exchange: HttpExchange;
  /** A token for one assignment to one pod; left out where sidecars ask for none. */
  readonly tokenFor?: ((workerId: string) => Promise<Secret>) | undefined;
  /** Has the pod ended where it runs. Never rejects. */
  readonly remove: (workerId: string, graceMs: number) => Promise<void>;
  readonly toError: (workerId: string, reason: string, cause?: unknown) => PlatformError;
  /** Called when the pod has got its app, with where its sidecar answers. */
  readonly onAssigned?: ((pod: RemotePod, sidecarUrl: string) => void) | undefined;
}

export class RemotePod implements Pod {
  readonly workerId: string;
  readonly stack: Stack;
  readonly #deps: RemotePodDeps;
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<PodEnd>();
  #sidecarUrl: string | undefined;
  #phase: 'starting' | 'warm' | 'stopping' | 'ended' = 'starting';

  constructor(deps: RemotePodDeps, workerId: string, stack: Stack) {
    this.#deps = deps;
    this.workerId = workerId;
    this.stack = stack;
    // Nobody may wait for it.
    this.#warm.promise.catch(() => {});
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<PodEnd> {
    return this.#ended.promise;
  }

  get isStarting(): boolean {
    return this.#phase === 'starting';
  }

  /** True while nothing is expected to change soon. */
  get isSettled(): boolean {
    return this.#phase === 'warm';
  }

  get isLeaving(): boolean {
    return this.#phase === 'stopping' || this.#phase === 'ended';
  }

  /** Its sidecar is ready, and takes assignments below this address. */
  ready(sidecarUrl: string): void {
    if (this.#phase !== 'starting') return;
    this.#sidecarUrl = sidecarUrl;
    this.#phase = 'warm';
    this.#warm.resolve();
  }

  /** Nothing of it is left. */
  end(reason: string, exitCode: number | null = null): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    const error = this.#deps.toError(this.workerId, reason);
    this.#warm.reject(error);
    this.#ended.resolve({ exitCode, signal: null, stderrTail: [], error });
  }

  stop(graceMs: number): void {
    if (this.isLeaving) return;
    this.#phase = 'stopping';
    void this.#deps.remove(this.workerId, graceMs);
  }

  async assign(assignment: Assignment): Promise<AssignOutcome> {
    const { exchange, tokenFor } = this.#deps;
    const url = this.#sidecarUrl;
    if (this.#phase !== 'warm' || url === undefined) return { kind: 'refused', error: this.#error('it is not warm') };
    const token = await tokenFor?.(this.workerId);
    const toError = (reason: string): PlatformError => this.#error(reason);
    const outcome = await assignOverHttp({ exchange, token, toError }, url, assignment);
    if (outcome.kind === 'assigned') this.#deps.onAssigned?.(this, url);
    return outcome;
  }

  #error(reason: string): PlatformError {
    return this.#deps.toError(this.workerId, reason);
  }
}
