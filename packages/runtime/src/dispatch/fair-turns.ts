/**
 * Shares the Runtime's one event loop between tenants, so that the flood of one does not stand before the few calls of
 * another.
 *
 * While more than one tenant is at work, a tenant may start so many calls per turn of the event loop; what is beyond that
 * waits in the queue of its dispatcher and is started in later turns, one call of each tenant after the other, and within a
 * tenant one of each dispatcher after the other. A tenant that is alone waits for nothing.
 *
 * Ownership: the Runtime owns it; every dispatcher joins with a share, and tells of every call that it starts and ends.
 *
 * I1 While tenants compete, none starts more than `startsPerTurn` calls in one turn.
 * I2 Waiting calls start in turns: first by tenant, then by dispatcher; nobody that can go on is passed over.
 * I3 A tenant never has more than `inFlightPerTenant` calls in flight.
 * I4 A tenant that has been alone for `contentionMs` is not held back by I1.
 * I5 Without anything that waits or was started, no turn is scheduled.
 */
import type { Clock } from '@switchyard/kernel';

export interface FairTurnsOptions {
  /** Calls that a tenant may start in one turn of the event loop while others are at work. */
  readonly startsPerTurn: number;
  /** Calls of one tenant that may be in flight. */
  readonly inFlightPerTenant: number;
  /** For so long after its last call a tenant counts as being at work. */
  readonly contentionMs: number;
}

/** The part of a dispatcher. */
export interface Share {
  /** Asks to start a call now. When it may not, `onTurn` is called in a later turn. */
  take(): boolean;
  /** A call that was started has ended. */
  give(): void;
  /** The dispatcher ends: it is not called any more. */
  leave(): void;
}

/** Starts one call that waits. False when there is none, or none that could be sent now: it will ask again. */
export type OnTurn = () => boolean;

interface Tenant {
  readonly tenantId: string;
  /** Those whose calls wait, in the order of their turns. */
  readonly waiting: Set<OnTurn>;
  /** Calls started in this turn. */
  started: number;
  inFlight: number;
  shares: number;
}

export class FairTurns {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #options: FairTurnsOptions;
  readonly #nextTurn: (callback: () => void) => void;
  readonly #tenants = new Map<string, Tenant>();
  #lastTenant: Tenant | undefined;
  /** When the tenant that asks last changed. */
  #changedMs = Number.NEGATIVE_INFINITY;
  #isScheduled = false;

  /** @param nextTurn runs a callback in the next turn of the event loop, after what has arrived was read. */
  constructor(
    clock: Pick<Clock, 'monotonic'>,
    options: FairTurnsOptions,
    nextTurn: (callback: () => void) => void = setImmediate,
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#nextTurn = nextTurn;
  }

  /** A dispatcher of the tenant takes part. */
  join(tenantId: string, onTurn: OnTurn): Share {
    const tenant = this.#tenantOf(tenantId);
    tenant.shares += 1;
    return {
      take: () => this.#take(tenant, onTurn),
      give: () => this.#give(tenant),
      leave: () => {
        tenant.waiting.delete(onTurn);
        tenant.shares -= 1;
        if (tenant.shares === 0 && tenant.inFlight === 0) this.#tenants.delete(tenantId);
      },
    };
  }

  #take(tenant: Tenant, onTurn: OnTurn): boolean {
    const isContended = this.#note(tenant);
    const { startsPerTurn } = this.#options;
    const mustWait = isContended && (tenant.waiting.size > 0 || tenant.started >= startsPerTurn);
    if (mustWait || this.#isFull(tenant)) {
      tenant.waiting.add(onTurn);
      if (!this.#isFull(tenant)) this.#schedule();
      return false;
    }
    tenant.inFlight += 1;
    if (isContended) {
      tenant.started += 1;
      this.#schedule();
    }
    return true;
  }

  #give(tenant: Tenant): void {
    tenant.inFlight -= 1;
    if (tenant.waiting.size > 0) this.#schedule();
  }

  /** True while another tenant has been at work lately. */
  #note(tenant: Tenant): boolean {
    const nowMs = this.#clock.monotonic();
    if (tenant !== this.#lastTenant) {
      if (this.#lastTenant !== undefined) this.#changedMs = nowMs;
      this.#lastTenant = tenant;
    }
    return nowMs - this.#changedMs < this.#options.contentionMs;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const ring = [...this.#tenants.values()];
    for (const tenant of ring) tenant.started = 0;
    let waiting = ring.filter((tenant) => tenant.waiting.size > 0);
    while (waiting.length > 0) waiting = waiting.filter((tenant) => this.#startOne(tenant));
    if (ring.some((tenant) => tenant.waiting.size > 0 && !this.#isFull(tenant))) this.#schedule();
  }

  /** Starts the next waiting call of the tenant; false when it may, or can, start no more in this turn. */
  #startOne(tenant: Tenant): boolean {
    for (const onTurn of tenant.waiting) {
      if (tenant.started >= this.#options.startsPerTurn || this.#isFull(tenant)) return false;
      tenant.waiting.delete(onTurn);
      // Counted before it starts: its end may come at once.
      tenant.inFlight += 1;
      if (onTurn()) {
        tenant.started += 1;
        tenant.waiting.add(onTurn);
        return true;
      }
      tenant.inFlight -= 1;
    }
    return false;
  }

  #isFull(tenant: Tenant): boolean {
    return tenant.inFlight >= this.#options.inFlightPerTenant;
  }

  #tenantOf(tenantId: string): Tenant {
    let tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = { tenantId, waiting: new Set(), started: 0, inFlight: 0, shares: 0 };
      this.#tenants.set(tenantId, tenant);
    }
    return tenant;
  }
}
