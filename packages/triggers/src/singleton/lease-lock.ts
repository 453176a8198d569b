/**
 * One lock held by the lease of a blob.
 *
 * Purpose: keep the lease, and know for certain until when it is ours. The service counts from when it got a request, we
 * count from before we sent it and stop a margin earlier, so we always stop first. Time is the larger of what both clocks
 * say: the monotonic one stands still while a machine sleeps, the other one may be set back.
 * Phases: Held (waiting or renewing) -> Lost or Released.
 * Ownership: whoever acquired the lock.
 *
 * I1 `isHeld` is false, and `lost` aborts, before the service can give the lease to somebody else.
 * I2 `isHeld` needs no timer: a process that slept finds it false at its first question.
 * I3 Renewals come at half of the period; after a fault they come sooner, until the lock is lost.
 * I4 A renewal that is refused loses the lock at once.
 * I5 After the end nothing is renewed, and an answer that comes late changes nothing.
 */
import { type Clock, type Edges, type Log, messageOf, type Random, StateMachine, type Timer } from '@switchyard/kernel';
import type { BlobContainer } from '../blob/blob-client.ts';
import { callStorage, callUntilDone } from '../storage/storage-call.ts';
import type { SingletonLock } from './singleton-locks.ts';

/** A moment on both clocks. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface LeaseLockDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Carries the lock's fields. */
  readonly log: Log;
  readonly container: BlobContainer;
  /** Told once, when the lease was given back. */
  readonly released: () => void;
}

export interface LeaseLockOptions {
  readonly blobName: string;
  readonly leaseId: string;
  readonly periodMs: number;
  /** When the request that got the lease was sent. */
  readonly grantedAt: Instant;
}

/** How long before the lease's end the lock counts as lost: the time that stopping takes. */
const marginMs = 1_500;

/** After a fault the next renewal comes no sooner than this. */
const minRetryMs = 250;

/** Tries to give a lease back before it is left to its end. */
const maxReleaseTries = 2;

/** How long one of them may take: whoever releases is in a hurry. */
const releaseTimeoutMs = 2_000;

type State =
  | { readonly kind: 'held'; readonly grantedAt: Instant; readonly renewal: Timer; readonly expiry: Timer }
  | { readonly kind: 'lost' }
  | { readonly kind: 'released' };

const edges: Edges<State['kind']> = { held: ['held', 'lost', 'released'], lost: ['released'], released: [] };

export function instantOf(clock: Clock): Instant {
  return { monotonicMs: clock.monotonic(), wallMs: clock.now() };
}

export class LeaseLock implements SingletonLock {
  readonly #deps: LeaseLockDeps;
  readonly #options: LeaseLockOptions;
  readonly #lost = new AbortController();
  /** Ends a renewal that is under way. */
  readonly #ended = new AbortController();
  readonly #state: StateMachine<State>;

  constructor(deps: LeaseLockDeps, options: LeaseLockOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#state = new StateMachine<State>(this.#held(options.grantedAt), edges);
  }

  get isHeld(): boolean {
    const { state } = this.#state;
    return state.kind === 'held' && this.#remainingMs(state.grantedAt) > 0;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'released') return;
    this.#cancelTimers();
    this.#state.transition({ kind: 'released' });
    this.#ended.abort();
    // Who lost the lock has nothing to give back: it ends by itself or is somebody else's.
    if (state.kind === 'held') await this.#giveBack();
    this.#deps.released();
  }

  #held(grantedAt: Instant): State {
    const { clock } = this.#deps;
    const renewMs = Math.max(0, this.#options.periodMs / 2 - elapsedMs(clock, grantedAt));
    return {
      kind: 'held',
      grantedAt,
      renewal: clock.schedule(renewMs, () => this.#renew()),
      expiry: clock.schedule(Math.max(0, this.#remainingMs(grantedAt)), () => this.#expire()),
    };
  }

  /** How long the lock is certainly ours. */
  #remainingMs(grantedAt: Instant): number {
    return this.#options.periodMs - marginMs - elapsedMs(this.#deps.clock, grantedAt);
  }

  #renew(): void {
    this.#tryRenew().catch((thrown) => this.#lose('A singleton lock failed', messageOf(thrown)));
  }

  async #tryRenew(): Promise<void> {
    const { clock, container } = this.#deps;
    const { blobName, leaseId } = this.#options;
    const { state } = this.#state;
    if (state.kind !== 'held') return;
    const remainingMs = this.#remainingMs(state.grantedAt);
    if (remainingMs <= 0) return this.#expire();
    const sentAt = instantOf(clock);
    try {
      const name = { operation: 'renew lease', resource: `blob '${container.name}/${blobName}'` };
      const options = { signal: this.#ended.signal, timeoutMs: remainingMs };
      const renewed = await callStorage(
        this.#deps,
        name,
        (signal) => container.renewLease(blobName, leaseId, signal),
        options,
      );
      if (renewed === 'lost') return this.#lose('A singleton lock was taken over', 'the lease is no longer ours');
      if (!this.isHeld) return this.#expire();
      this.#cancelTimers();
      this.#state.transition(this.#held(sentAt));
    } catch (thrown) {
      this.#tryLater(messageOf(thrown));
    }
  }

  #tryLater(error: string): void {
    const { state } = this.#state;
    if (state.kind !== 'held') return;
    const remainingMs = Math.max(0, this.#remainingMs(state.grantedAt));
    this.#deps.log.write('debug', 'A singleton lock could not be renewed; it is tried again', { error, remainingMs });
    const delayMs = Math.max(minRetryMs, remainingMs / 4);
    const renewal = this.#deps.clock.schedule(delayMs, () => this.#renew());
    this.#state.transition({ ...state, renewal });
  }

  #expire(): void {
    const { state } = this.#state;
    if (state.kind !== 'held') return;
    // A clock that was set back may have made the timer come early.
    const remainingMs = this.#remainingMs(state.grantedAt);
    if (remainingMs > 0) {
      const expiry = this.#deps.clock.schedule(remainingMs, () => this.#expire());
      this.#state.transition({ ...state, expiry });
    } else this.#lose('A singleton lock was lost', 'it could not be renewed in time');
  }

  #lose(message: string, reason: string): void {
    if (this.#state.kind !== 'held') return;
    this.#cancelTimers();
    this.#state.transition({ kind: 'lost' });
    this.#ended.abort();
    this.#deps.log.write('warning', message, { reason });
    this.#lost.abort(new Error(reason));
  }

  #cancelTimers(): void {
    const { state } = this.#state;
    if (state.kind !== 'held') return;
    state.renewal.cancel();
    state.expiry.cancel();
  }

  async #giveBack(): Promise<void> {
    const { container, log } = this.#deps;
    const { blobName, leaseId } = this.#options;
    const name = { operation: 'release lease', resource: `blob '${container.name}/${blobName}'` };
    const release = (signal: AbortSignal): Promise<unknown> => container.releaseLease(blobName, leaseId, signal);
    try {
      await callUntilDone(this.#deps, name, maxReleaseTries, release, { timeoutMs: releaseTimeoutMs });
    } catch (thrown) {
      log.write('debug', 'A singleton lock could not be given back; it ends by itself', { error: messageOf(thrown) });
    }
  }
}

/** The time since then; the larger of what both clocks say. */
function elapsedMs(clock: Clock, since: Instant): number {
  return Math.max(clock.monotonic() - since.monotonicMs, clock.now() - since.wallMs);
}
