/**
 * Lets the workers of a tenant that takes more than its part of the processors come second, while other tenants are at work.
 *
 * Every half second it looks at what the workers of each tenant have used, decides by `planPriorities`, and sets the priority of
 * every thread of those workers that it does not have yet. A tenant that comes second still gets whatever nobody else wants.
 *
 * Ownership: one per installation; it follows the worker processes that the tenants' ports start, and ends with `close`.
 *
 * I1 Workers of a tenant above its part come second within two looks, and those that start meanwhile at once: a start is
 *    work as well.
 * I2 They come first again once the tenant has been calm for a while, or nobody else is at work.
 * I3 While fewer than two tenants have workers nothing is read.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';
import { planPriorities, type TenantUse } from './plan-priorities.ts';
import type { ProcessFamilies } from './process-family.ts';

export interface TenantPrioritiesDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly families: ProcessFamilies;
}

/** A look at the processors. Longer ones would let a flood go on unseen for longer. */
const windowMs = 500;
const calmMs = 2_000;
/** A tenth of the weight of the others. */
const lowNice = 10;

interface FollowedWorker {
  readonly pid: number;
  usedMs: number | undefined;
  nice: number;
}

interface FollowedTenant {
  readonly workers: Set<FollowedWorker>;
  /** When it was last above its part, while it comes second. */
  aboveAtMs: number | undefined;
}

export class TenantPriorities {
  readonly #deps: TenantPrioritiesDeps;
  readonly #tenants = new Map<string, FollowedTenant>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(deps: TenantPrioritiesDeps) {
    this.#deps = deps;
    this.#arm();
  }

  /** The port with which the workers of a tenant are started. */
  follow(tenantId: string, processes: ProcessPort): ProcessPort {
    const tenant = this.#tenants.get(tenantId) ?? { workers: new Set(), aboveAtMs: undefined };
    this.#tenants.set(tenantId, tenant);
    return {
      spawn: (launch, observer) => {
        let worker: FollowedWorker | undefined;
        const handle = processes.spawn(launch, {
          output: (stream, chunk) => observer.output(stream, chunk),
          outputEnded: (stream) => observer.outputEnded(stream),
          exited: (exitCode, signal) => {
            if (worker !== undefined) tenant.workers.delete(worker);
            observer.exited(exitCode, signal);
          },
          failed: (reason) => {
            if (worker !== undefined) tenant.workers.delete(worker);
            observer.failed(reason);
          },
        });
        if (handle.pid === undefined) return handle;
        worker = { pid: handle.pid, usedMs: undefined, nice: 0 };
        tenant.workers.add(worker);
        if (tenant.aboveAtMs !== undefined) void this.#setNice(worker, lowNice);
        return handle;
      },
    };
  }

  /** The tenants whose workers come second. */
  get low(): readonly string[] {
    return [...this.#tenants].filter(([, { aboveAtMs }]) => aboveAtMs !== undefined).map(([tenantId]) => tenantId);
  }

  /** Resolves when the look that is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.schedule(windowMs, () => {
      this.#looking = this.#look()
        .catch((thrown) =>
          this.#deps.log.write('debug', 'The use of the processors could not be read.', { reason: messageOf(thrown) }),
        )
        .then(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    for (const tenant of this.#tenants.values()) if (tenant.workers.size === 0) tenant.aboveAtMs = undefined;
    const tenants = [...this.#tenants].filter(([, { workers }]) => workers.size > 0);
    if (tenants.length < 2 && this.low.length === 0) return;
    const nowMs = this.#deps.clock.monotonic();
    const uses: TenantUse[] = [];
    for (const [tenantId, { workers, aboveAtMs }] of tenants) {
      let usedMs = 0;
      for (const worker of workers) usedMs += await this.#usedSince(worker);
      uses.push({ tenantId, usedMs, calmForMs: aboveAtMs === undefined ? undefined : nowMs - aboveAtMs });
    }
    const { low, above } = planPriorities(uses, { windowMs, calmMs });
    for (const [tenantId, tenant] of tenants) {
      if (above.has(tenantId)) tenant.aboveAtMs = nowMs;
      else if (!low.has(tenantId)) tenant.aboveAtMs = undefined;
      await this.#apply(tenantId, tenant, low.has(tenantId) ? lowNice : 0);
    }
  }

  async #usedSince(worker: FollowedWorker): Promise<number> {
    const usedMs = await this.#deps.families.usedMs(worker.pid);
    const since = worker.usedMs === undefined ? 0 : Math.max(0, usedMs - worker.usedMs);
    worker.usedMs = usedMs;
    return since;
  }

  async #apply(tenantId: string, { workers }: FollowedTenant, nice: number): Promise<void> {
    const others = [...workers].filter((worker) => worker.nice !== nice);
    if (others.length === 0) return;
    this.#deps.log.write('debug', 'The priority of workers was set.', {
      tenant: tenantId,
      nice,
      workers: others.length,
    });
    for (const worker of others) await this.#setNice(worker, nice);
  }

  async #setNice(worker: FollowedWorker, nice: number): Promise<void> {
    worker.nice = nice;
    await this.#deps.families.setNice(worker.pid, nice);
  }
}
