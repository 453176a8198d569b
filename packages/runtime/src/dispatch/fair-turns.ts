/**
 * Shares the Runtime's one event loop between tenants, so that the flood of one does not stand before the few calls of
 * another.
 *
 * While more than one tenant is at work, a tenant may start so many calls per turn of the event loop, and the busiest of them
 * only as many as their pace allows; what is beyond that waits in the queue of its dispatcher and is started in later turns, one
 * call of each tenant after the other, and within a tenant one of each dispatcher after the other. A tenant that is alone
 * waits for nothing.
 *
 * Ownership: the Runtime owns it; every dispatcher joins with a share, and tells of every call that it starts and ends.
 *
 * I1 While tenants compete, none starts more than `startsPerTurn` calls in one turn.
 * I2 Waiting calls start in turns: first by tenant, then by dispatcher; nobody that can go on is passed over.
 * I3 A tenant never has more than `inFlightPerTenant` calls in flight.
 * I4 A tenant that has been alone for `contentionMs` is not held back by I1.
 * I5 Without anything that waits or was started, no turn is scheduled.
 * I6 While tenants compete, one whose pace is used up starts nothing, and is asked again a little later or when a call of it ends.
 * I7 A tenant is known from its first share until its last one has left and its last call has ended, however often a share
 *    leaves: all dispatchers of a tenant count together, and each gets its turns.
 */
import { type Clock, type Timer, TransientSet } from '@switchyard/kernel';
import type { Pace } from './loop-pace.ts';

export interface FairTurnsDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>;
  /** What keeps a part of the event loop free; without it nobody is paced. */
  readonly pace?: { join(): Pace } | undefined;
  /** Runs a callback in the next turn of the event loop, after what has arrived was read. */
  readonly nextTurn?: (callback: () => void) => void;
}

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
  /** The dispatcher ends: it is not called any more. Once it has left, leaving again does nothing. */
  leave(): void;
}

/** Starts one call that waits. False when there is none, or none that could be sent now: it will ask again. */
export type OnTurn = () => boolean;

interface Tenant {
  readonly tenantId: string;
  /** Those whose calls wait, in the order of their turns. */
  readonly waiting: TransientSet<OnTurn>;
  /** Calls started in this turn. */
  started: number;
  inFlight: number;
  shares: number;
  readonly pace: Pace;
}

/** When a tenant that was paced is looked at again. */
const pacedMs = 1;

const unpaced: Pace = { mayStart: () => true, started: () => {}, leave: () => {} };

export class FairTurns {
  readonly #deps: FairTurnsDeps;
  readonly #options: FairTurnsOptions;
  readonly #tenants = new Map<string, Tenant>();
  #lastTenant: Tenant | undefined;
  /** When the tenant that asks last changed. */
  #changedMs = Number.NEGATIVE_INFINITY;
  #isScheduled = false;
  #later: Timer | undefined;

  constructor(deps: FairTurnsDeps, options: FairTurnsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** A dispatcher of the tenant takes part. */
  join(tenantId: string, onTurn: OnTurn): Share {
    const tenant = this.#tenantOf(tenantId);
    tenant.shares += 1;
    let hasLeft = false;
    return {
      take: () => this.#take(tenant, onTurn),
      give: () => this.#give(tenant),
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        tenant.waiting.delete(onTurn);
        tenant.shares -= 1;
        this.#forgetIfGone(tenant);
      },
    };
  }

  #forgetIfGone(tenant: Tenant): void {
    if (tenant.shares > 0 || tenant.inFlight > 0) return;
    this.#tenants.delete(tenant.tenantId);
    tenant.pace.leave();
  }

  #take(tenant: Tenant, onTurn: OnTurn): boolean {
    const isContended = this.#note(tenant);
    const isPaced = isContended && !tenant.pace.mayStart();
    const mustWait = isContended && (tenant.waiting.size > 0 || tenant.started >= this.#options.startsPerTurn);
    if (isPaced || mustWait || this.#isFull(tenant)) {
      tenant.waiting.add(onTurn);
      if (!this.#isFull(tenant)) this.#schedule(isPaced);
      return false;
    }
    tenant.inFlight += 1;
    tenant.pace.started();
    if (isContended) {
      tenant.started += 1;
      this.#schedule();
    }
    return true;
  }

  #give(tenant: Tenant): void {
    tenant.inFlight -= 1;
    if (tenant.waiting.size > 0) this.#schedule();
    else this.#forgetIfGone(tenant);
  }

  /** True while another tenant has been at work lately. */
  #note(tenant: Tenant): boolean {
    const nowMs = this.#deps.clock.monotonic();
    if (tenant !== this.#lastTenant) {
      if (this.#lastTenant !== undefined) this.#changedMs = nowMs;
      this.#lastTenant = tenant;
    }
    return this.#isContended(nowMs);
  }

  #isContended(nowMs: number): boolean {
    return nowMs - this.#changedMs < this.#options.contentionMs;
  }

  /** A turn that is only for paced tenants comes later; one that is for others comes before that all the same. */
  #schedule(isPaced = false): void {
    if (isPaced) {
      this.#later ??= this.#deps.clock.schedule(pacedMs, () => {
        this.#later = undefined;
        this.#schedule();
      });
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    (this.#deps.nextTurn ?? setImmediate)(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const isContended = this.#isContended(this.#deps.clock.monotonic());
    const ring = [...this.#tenants.values()];
    for (const tenant of ring) tenant.started = 0;
    const mayStart = (tenant: Tenant): boolean => !isContended || tenant.pace.mayStart();
    let waiting = ring.filter((tenant) => tenant.waiting.size > 0);
    while (waiting.length > 0) waiting = waiting.filter((tenant) => mayStart(tenant) && this.#startOne(tenant));
    for (const tenant of ring) if (tenant.waiting.size > 0 && !this.#isFull(tenant)) this.#schedule(!mayStart(tenant));
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
        tenant.pace.started();
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
      const pace = this.#deps.pace?.join() ?? unpaced;
      tenant = { tenantId, waiting: new TransientSet(), started: 0, inFlight: 0, shares: 0, pace };
      this.#tenants.set(tenantId, tenant);
    }
    return tenant;
  }
}
