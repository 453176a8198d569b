/**
 * A WorkerSupply out of warm placeholders: one pool per stack, refilled in the background, and a cold start when a pool is
 * empty.
 *
 * Ownership: the composition root owns the supply; the supply owns the pools and, through them, every pod.
 *
 * I1 An observer hears `expected` for each worker that is there when it begins to watch, and every event from then on.
 * I2 An observer that throws harms neither the other observers nor the workers.
 * I3 A stack gets a pool of its own, with the minimum that was named for it, else with the default.
 * I4 After `close` no pod is left, and no wish is taken.
 * I5 Runtimes that share the supply have workers of their own: the wish of one changes nothing for another.
 */
import { type Clock, type Log, type Meter, messageOf, type Random, settlesWithin } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type {
  AssignmentSource,
  Pod,
  PodProvider,
  ReleaseReason,
  SupplyEvent,
  SupplyRequest,
  WorkerSupply,
} from '@switchyard/protocol';
import { ApplicationPods } from './application-pods.ts';
import { defaultSupplyLimits, type SupplyLimits } from './limits.ts';
import { type PoolOptions, type PoolStatus, StackPool, stackLabel } from './stack-pool.ts';

export interface PooledSupplyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly provider: PodProvider;
  readonly assignments: AssignmentSource;
}

export interface PooledSupplyOptions {
  /** Pools that are filled at once. */
  readonly pools?: readonly PoolOptions[];
  /** The minimum of every other stack, from its first app on; 0 unless named. */
  readonly defaultMinimum?: number;
  /** To what such a pool may grow after cold starts; it does not grow when left out. */
  readonly defaultMaximum?: number;
  readonly limits?: Partial<SupplyLimits>;
}

export interface PooledSupply extends WorkerSupply {
  pools(): readonly PoolStatus[];
  /** So many workers of a stack will be wanted soon: its pool fills ahead of that, as far as its maximum goes. */
  announce(stack: Stack, count: number): void;
  /** Ends every pod; those that are still there after `deadlineMs` are killed. Resolves when all are gone. */
  close(deadlineMs: number): Promise<void>;
}

/** What the provider may take beyond the deadline to end the last pod. */
const endWaitMs = 5_000;

/** Makes a supply; the named pools begin to fill. */
export function createPooledSupply(deps: PooledSupplyDeps, options: PooledSupplyOptions = {}): PooledSupply {
  return new PlaceholderSupply(deps, options);
}

interface ApplicationEntry {
  readonly definition: ApplicationDefinition;
  readonly runtimeId: string | undefined;
  readonly pods: ApplicationPods;
}

class PlaceholderSupply implements PooledSupply, PodProvider {
  readonly #deps: PooledSupplyDeps;
  readonly #limits: SupplyLimits;
  readonly #defaultMinimum: number;
  readonly #defaultMaximum: number;
  readonly #pools = new Map<string, StackPool>();
  readonly #applications = new Map<string, ApplicationEntry>();
  readonly #observers = new Set<(event: SupplyEvent) => void>();
  /** Every pod that has not ended, wherever it is. */
  readonly #living = new Set<Pod>();
  #closing: Promise<void> | undefined;

  constructor(deps: PooledSupplyDeps, options: PooledSupplyOptions) {
    this.#deps = deps;
    this.#limits = { ...defaultSupplyLimits, ...options.limits };
    this.#defaultMinimum = options.defaultMinimum ?? 0;
    this.#defaultMaximum = options.defaultMaximum ?? this.#defaultMinimum;
    for (const pool of options.pools ?? []) this.#openPool(pool);
  }

  ensure(request: SupplyRequest): void {
    if (this.#closing === undefined) this.#podsOf(request.application, request.runtimeId).wish(request);
  }

  release(workerId: string, reason: ReleaseReason): void {
    for (const { pods } of this.#applications.values()) if (pods.release(workerId, reason)) return;
  }

  watch(observer: (event: SupplyEvent) => void): () => void {
    this.#observers.add(observer);
    for (const { definition, runtimeId, pods } of this.#applications.values()) {
      const whose = runtimeId === undefined ? {} : { runtimeId };
      for (const workerId of pods.workerIds) {
        this.#tell(observer, { kind: 'expected', workerId, application: definition, ...whose });
      }
    }
    return () => this.#observers.delete(observer);
  }

  pools(): readonly PoolStatus[] {
    return [...this.#pools.values()].map((pool) => pool.status());
  }

  announce(stack: Stack, count: number): void {
    if (this.#closing === undefined) this.#poolOf(stack).announce(count);
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  /** The pools start their pods here, so that none is forgotten. */
  startPod(stack: Stack): Pod {
    const pod = this.#deps.provider.startPod(stack);
    this.#living.add(pod);
    void pod.ended.then(() => this.#living.delete(pod));
    return pod;
  }

  async #close(deadlineMs: number): Promise<void> {
    for (const pool of this.#pools.values()) pool.close(0);
    for (const { pods } of this.#applications.values()) pods.close(deadlineMs);
    const all = [...this.#living];
    for (const pod of all) pod.stop(deadlineMs);
    const ended = Promise.all(all.map((pod) => pod.ended));
    const inTime = await settlesWithin(this.#deps.clock, 2 * deadlineMs + endWaitMs, ended);
    if (!inTime) this.#deps.log.write('error', 'Some pods did not end', { left: this.#living.size });
  }

  #openPool(options: PoolOptions): StackPool {
    const pool = new StackPool({ ...this.#deps, provider: this }, this.#limits, options);
    this.#pools.set(stackLabel(options.stack), pool);
    pool.fill();
    return pool;
  }

  #poolOf(stack: Stack): StackPool {
    const options = { stack, minimum: this.#defaultMinimum, maximum: this.#defaultMaximum };
    return this.#pools.get(stackLabel(stack)) ?? this.#openPool(options);
  }

  #podsOf(definition: ApplicationDefinition, runtimeId: string | undefined): ApplicationPods {
    const { applicationId, metadataVersion, codeVersion } = definition;
    const key = [applicationId, metadataVersion, codeVersion, runtimeId ?? ''].join(':');
    const known = this.#applications.get(key);
    if (known !== undefined) return known.pods;
    const emit = (event: SupplyEvent): void => {
      for (const observer of [...this.#observers]) this.#tell(observer, event);
      if (event.kind === 'exited' && pods.isIdle) this.#applications.delete(key);
    };
    const log = this.#deps.log.child({ category: 'Host.Supply', applicationId });
    const poolOf = (stack: Stack): StackPool => this.#poolOf(stack);
    const limits = this.#limits;
    const pods = new ApplicationPods(
      { ...this.#deps, log, poolOf },
      { application: definition, runtimeId, limits, emit },
    );
    this.#applications.set(key, { definition, runtimeId, pods });
    return pods;
  }

  #tell(observer: (event: SupplyEvent) => void, event: SupplyEvent): void {
    try {
      observer(event);
    } catch (thrown) {
      const reason = messageOf(thrown);
      this.#deps.log.write('error', 'An observer of the supply failed', { event: event.kind, reason });
    }
  }
}
