/**
 * Who decides: of several controllers on one store, one at a time.
 *
 * Ownership: each controller has one for each thing that it wants to decide on, and keeps it up.
 *
 * I1 At any moment at most one holder has the lease that has not run out, by the clock of the machine that asks; what it may
 *    differ by is taken off the holder's time.
 * I2 Each taking of the lease has a greater token than the one before.
 * I3 A holder that cannot reach the store counts itself out before anybody else may count himself in.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { ScaleStore } from './contract.ts';

export interface LeaseOptions {
  /** What is decided on. */
  readonly name: string;
  /** Who asks: differs between all controllers. */
  readonly holder: string;
  readonly ttlMs?: number;
  /** By how much the clocks of two machines may differ. */
  readonly clockSkewMs?: number;
}

/** The right to decide, kept up until it is given back. */
export interface Lease {
  /** The token of the present taking; undefined while somebody else decides. */
  readonly token: number | undefined;
  /** Tries to take or to keep it, now. */
  renew(): Promise<void>;
  /** Gives it back, so that another one needs not wait. */
  release(): Promise<void>;
}

interface LeaseBody {
  readonly holder: string;
  readonly untilMs: number;
}

const defaultTtlMs = 10_000;
const defaultClockSkewMs = 2_000;

/** Begins to ask for the lease, and asks again in a third of its time. */
export function openLease(
  deps: { readonly clock: Clock; readonly log: Log; readonly store: ScaleStore },
  options: LeaseOptions,
): Lease {
  const lease = new StoredLease(deps, options);
  lease.start();
  return lease;
}

class StoredLease implements Lease {
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly store: ScaleStore };
  readonly #options: Required<LeaseOptions>;
  #held: { readonly token: number; readonly untilMs: number } | undefined;
  #timer: Timer | undefined;
  #isReleased = false;

  constructor(
    deps: { readonly clock: Clock; readonly log: Log; readonly store: ScaleStore },
    { ttlMs = defaultTtlMs, clockSkewMs = defaultClockSkewMs, ...options }: LeaseOptions,
  ) {
    this.#deps = deps;
    this.#options = { ...options, ttlMs, clockSkewMs };
  }

  get token(): number | undefined {
    const held = this.#held;
    return held !== undefined && this.#deps.clock.now() < held.untilMs ? held.token : undefined;
  }

  start(): void {
    void this.renew();
    this.#timer = this.#deps.clock.schedule(this.#options.ttlMs / 3, () => this.start());
  }

  async renew(): Promise<void> {
    if (this.#isReleased) return;
    try {
      await this.#take();
    } catch (thrown) {
      const fields = { lease: this.#options.name, reason: messageOf(thrown) };
      this.#deps.log.write('warning', 'The store of the scale controller cannot be reached', fields);
    }
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#timer?.cancel();
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    // Others get it sooner or later in any case.
    await this.#deps.store.remove('lease', this.#options.name, held.token).catch(() => false);
  }

  async #take(): Promise<void> {
    const { clock, store } = this.#deps;
    const { name, holder, ttlMs, clockSkewMs } = this.#options;
    const present = await store.read('lease', name);
    const body = readBody(present?.body);
    const nowMs = clock.now();
    if (body !== undefined && body.holder !== holder && nowMs < body.untilMs + clockSkewMs) {
      this.#held = undefined;
      return;
    }
    const next: LeaseBody = { holder, untilMs: nowMs + ttlMs };
    const outcome = await store.write('lease', name, next, present?.revision ?? 0);
    if (this.#isReleased && outcome.kind === 'written') await store.remove('lease', name, outcome.revision);
    else if (outcome.kind === 'written') this.#held = { token: outcome.revision, untilMs: nowMs + ttlMs - clockSkewMs };
    else this.#held = undefined;
  }
}

function readBody(body: unknown): LeaseBody | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { holder, untilMs } = body as Partial<LeaseBody>;
  return typeof holder === 'string' && typeof untilMs === 'number' ? { holder, untilMs } : undefined;
}
