/**
 * A listener of which at most one in the world runs.
 *
 * Purpose: seek a lock, run the inner listener while it is held, and stop it the moment that it is lost.
 * Phases: Idle until `start`; Seeking: asking for the lock again and again; Holding: the inner listener runs; Draining;
 * Stopped. Holding falls back to Seeking when the lock is lost.
 * Ownership: the JobHost owns this listener, which owns the lock and the inner listener.
 *
 * I1 The inner listener exists only while the lock is held; each time that the lock is won it is a new one.
 * I2 When the lock is lost the inner listener is closed at once, and the lock is sought again.
 * I3 While nobody can tell who has the lock, nothing runs; an outage costs one warning and one line when it is over.
 * I4 A lock that somebody else has is asked for again after the polling interval, or as soon as this process gave it back.
 * I5 `drain` and `close` give the lock back, also one that arrives after them.
 */
import {
  type BackoffOptions,
  backoffMs,
  type Clock,
  createDeferred,
  type Deferred,
  type Edges,
  type Log,
  messageOf,
  type Random,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import type { TriggerListener } from '../contract.ts';
import type { HeldLock, LockRequest, SingletonLock, SingletonLocks } from './singleton-locks.ts';

export interface SingletonListenerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly locks: SingletonLocks;
}

export interface SingletonListenerOptions {
  readonly request: LockRequest;
  /** How often a lock of somebody else is asked for. */
  readonly recoveryMs: number;
}

/** How long `close` waits for the lock to be given back. */
const closeTimeoutMs = 5_000;

/** The first wait after a fault; it grows up to the polling interval. */
const minFaultWaitMs = 1_000;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'seeking'; readonly stop: AbortController }
  | {
      readonly kind: 'holding';
      readonly stop: AbortController;
      readonly lock: SingletonLock;
      readonly listener: TriggerListener;
    }
  | { readonly kind: 'draining'; readonly lock: SingletonLock; readonly listener: TriggerListener }
  | { readonly kind: 'stopped' };

const edges: Edges<State['kind']> = {
  idle: ['seeking', 'stopped'],
  seeking: ['holding', 'stopped'],
  holding: ['seeking', 'draining', 'stopped'],
  draining: ['stopped'],
  stopped: [],
};

/** Wraps a listener so that it runs only while the lock is held. `inner` may ask the lock whether it still is. */
export function createSingletonListener(
  inner: (lock: HeldLock) => TriggerListener,
  deps: SingletonListenerDeps,
  options: SingletonListenerOptions,
): TriggerListener {
  return new SingletonListener(inner, deps, options);
}

class SingletonListener implements TriggerListener {
  readonly #inner: (lock: HeldLock) => TriggerListener;
  readonly #deps: SingletonListenerDeps;
  readonly #options: SingletonListenerOptions;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);
  /** Ends the wait between two questions. */
  #wake: Deferred<void> = createDeferred();
  #faults = 0;

  constructor(
    inner: (lock: HeldLock) => TriggerListener,
    deps: SingletonListenerDeps,
    options: SingletonListenerOptions,
  ) {
    this.#inner = inner;
    this.#deps = deps;
    this.#options = options;
  }

  /** Resolves once it is known whether the lock is ours. Rejects when the inner listener cannot start at all. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stop = new AbortController();
    this.#state.transition({ kind: 'seeking', stop });
    const firstTry = createDeferred<void>();
    this.#seek(stop, firstTry).then(firstTry.resolve, (thrown) => {
      firstTry.reject(thrown);
      this.#warn('A singleton listener failed', thrown);
    });
    await firstTry.promise;
  }

  async drain(signal: AbortSignal): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'holding') {
      this.#state.transition({ kind: 'draining', lock: state.lock, listener: state.listener });
      state.stop.abort();
      await state.listener.drain(AbortSignal.any([signal, state.lock.lost]));
    }
    await this.close();
  }

  async close(): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'stopped') return;
    this.#state.transition({ kind: 'stopped' });
    if (state.kind === 'seeking' || state.kind === 'holding') state.stop.abort();
    this.#wake.resolve();
    if (state.kind !== 'holding' && state.kind !== 'draining') return;
    await state.listener.close();
    await settlesWithin(this.#deps.clock, closeTimeoutMs, state.lock.release());
  }

  async #seek(stop: AbortController, firstTry: Deferred<void>): Promise<void> {
    while (this.#state.kind === 'seeking') {
      this.#wake = createDeferred();
      const unwatch = this.#deps.locks.watch(this.#options.request, () => this.#wake.resolve());
      try {
        const lock = await this.#acquire(stop.signal);
        if (lock !== undefined && this.#state.kind !== 'seeking') return await lock.release();
        if (lock === undefined) {
          firstTry.resolve();
          await this.#pause();
        } else await this.#hold(lock, stop, firstTry);
      } finally {
        unwatch();
      }
    }
  }

  /** Runs the inner listener until the lock is lost or we are to stop. */
  async #hold(lock: SingletonLock, stop: AbortController, firstTry: Deferred<void>): Promise<void> {
    const listener = this.#inner(lock);
    this.#state.transition({ kind: 'holding', stop, lock, listener });
    this.#note('debug', 'Singleton lock acquired');
    const ended = onceAborted(lock.lost, stop.signal);
    try {
      await Promise.race([listener.start(stop.signal), ended]);
      firstTry.resolve();
      await ended;
    } catch (thrown) {
      if (this.#state.kind !== 'holding') return;
      this.#state.transition({ kind: 'seeking', stop });
      await listener.close();
      await lock.release();
      firstTry.reject(thrown);
      this.#warn('A singleton listener did not start; it is tried again', thrown);
      // That we gave the lock back ourselves is no reason to hurry.
      this.#wake = createDeferred();
      return this.#pause();
    }
    if (this.#state.kind !== 'holding') return;
    this.#state.transition({ kind: 'seeking', stop });
    await listener.close();
    await lock.release();
  }

  async #acquire(signal: AbortSignal): Promise<SingletonLock | undefined> {
    try {
      const lock = await this.#deps.locks.acquire(this.#options.request, signal);
      if (this.#faults > 0) this.#note('information', 'Singleton locks can be had again');
      this.#faults = 0;
      return lock;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      if (this.#faults === 0) this.#warn('A singleton lock cannot be had; nothing runs until it can', thrown);
      this.#faults += 1;
      return undefined;
    }
  }

  /** Waits for the next question: long while somebody else has the lock, shorter after a fault. */
  async #pause(): Promise<void> {
    if (this.#state.kind !== 'seeking') return;
    const { clock, random } = this.#deps;
    const { recoveryMs } = this.#options;
    const minimumMs = Math.min(minFaultWaitMs, recoveryMs);
    const backoff: BackoffOptions = { minimumMs, maximumMs: recoveryMs, factor: 2, jitter: 0.2 };
    const delayMs = this.#faults === 0 ? recoveryMs : backoffMs(backoff, this.#faults - 1, random);
    const timer = clock.schedule(delayMs, this.#wake.resolve);
    await this.#wake.promise;
    timer.cancel();
  }

  #warn(message: string, thrown: unknown): void {
    this.#note('warning', message, { error: messageOf(thrown) });
  }

  #note(level: 'debug' | 'information' | 'warning', message: string, fields: { readonly error?: string } = {}): void {
    const { lockId } = this.#options.request;
    this.#deps.log.write(level, message, { category: 'Host.Singleton', lockId, ...fields });
  }
}

/** Resolves when the first of the signals aborts. */
function onceAborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', settle);
      resolve();
    };
    for (const signal of signals) signal.addEventListener('abort', settle);
    if (signals.some((signal) => signal.aborted)) settle();
  });
}
