/**
 * Keeps a part of the Runtime's event loop free while tenants compete, so that a call of a tenant that asks for little finds
 * the loop idle, and not at the work of another one's flood.
 *
 * The busiest tenants, those above an even part of what is started, share a rate. It falls while the loop is busier than it may be,
 * and grows while it is not. What is beyond the rate waits, and waits no longer once no other tenant is at work.
 *
 * Ownership: `FairTurns` owns it and asks before it starts a call; each tenant has one pace.
 *
 * I1 A tenant at or below an even part of the starts is never paced, and nobody is while one tenant is at work alone.
 * I2 A paced tenant starts calls at no more than the rate, and the rate never falls below `minimumPerMs`.
 * I3 The rate falls while the loop is busier than `busyShare`, and grows while it is not.
 */
import type { Clock } from '@switchyard/kernel';

/** How busy the event loop is. */
export interface LoopMeter {
  /** The part of the time since the last call in which the loop was at work, from 0 to 1. */
  utilization(): number;
}

export interface LoopPaceOptions {
  /** While tenants compete, the busiest of them leave the rest of the event loop free: 0.5 is half of it, 1 nothing. */
  readonly busyShare: number;
  /** For so long after its last call a tenant counts as being at work. */
  readonly contentionMs: number;
}

/** The pace of one tenant. */
export interface Pace {
  /** True when it may start a call now, and not only later. */
  mayStart(): boolean;
  /** It has started a call. */
  started(): void;
  leave(): void;
}

/** How often the rate is looked at, and what it forgets of the past each time. */
const windowMs = 4;
const kept = 0.98;
/** Above an even part by as much as this, a tenant counts as one of the busiest. */
const tolerance = 1.25;
/** Calls in a millisecond. What the loop can do at most is far below the first. */
const maximumPerMs = 64;
const minimumPerMs = 0.2;
const fall = 0.8;
const growth = 0.2;
/** A tenant that waited may start so many calls at once. */
const burst = 2;

interface PacedTenant {
  /** Calls started lately, those of long ago counting less. */
  recent: number;
  /** Calls that it may start. */
  credit: number;
  creditAtMs: number;
  lastMs: number;
}

export class LoopPace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #loop: LoopMeter;
  readonly #options: LoopPaceOptions;
  readonly #tenants = new Set<PacedTenant>();
  #ratePerMs = maximumPerMs;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** An even part of what was started lately. */
  #evenPart = Number.POSITIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonic'>, loop: LoopMeter, options: LoopPaceOptions) {
    this.#clock = clock;
    this.#loop = loop;
    this.#options = options;
  }

  join(): Pace {
    const nowMs = this.#clock.monotonic();
    const tenant: PacedTenant = { recent: 0, credit: burst, creditAtMs: nowMs, lastMs: Number.NEGATIVE_INFINITY };
    this.#tenants.add(tenant);
    return {
      mayStart: () => this.#mayStart(tenant),
      started: () => {
        tenant.recent += 1;
        tenant.credit = Math.max(0, tenant.credit - 1);
        tenant.lastMs = this.#clock.monotonic();
      },
      leave: () => this.#tenants.delete(tenant),
    };
  }

  #mayStart(tenant: PacedTenant): boolean {
    if (this.#options.busyShare >= 1) return true;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#lookedAtMs >= windowMs) this.#look(nowMs);
    const earned = (nowMs - tenant.creditAtMs) * this.#ratePerMs;
    tenant.credit = Math.min(tenant.credit + earned, Math.max(burst, this.#ratePerMs));
    tenant.creditAtMs = nowMs;
    return tenant.recent <= this.#evenPart || tenant.credit >= 1;
  }

  #look(nowMs: number): void {
    const utilization = this.#loop.utilization();
    const windows = Math.min((nowMs - this.#lookedAtMs) / windowMs, 1_000);
    this.#lookedAtMs = nowMs;
    if (utilization > this.#options.busyShare) this.#ratePerMs = Math.max(minimumPerMs, this.#ratePerMs * fall);
    else this.#ratePerMs = Math.min(maximumPerMs, this.#ratePerMs + growth);
    let [total, atWork] = [0, 0];
    for (const tenant of this.#tenants) {
      tenant.recent *= kept ** windows;
      total += tenant.recent;
      if (nowMs - tenant.lastMs < this.#options.contentionMs) atWork += 1;
    }
    this.#evenPart = atWork > 1 ? (total / atWork) * tolerance : Number.POSITIVE_INFINITY;
  }
}
