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
 */
import { type Clock, type Log, type Meter, messageOf, type Random, settlesWithin } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { AssignmentSource, Pod, PodProvider, SupplyEvent, WorkerSupply } from '@switchyard/protocol';
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
  readonly limits?: Partial<SupplyLimits>;
}

export interface PooledSupply extends WorkerSupply {
  pools(): readonly PoolStatus[];
  /** Ends every pod; those that are still there after `deadlineMs` are killed. Resolves when all are gone. */
  close(deadlineMs: number): Promise<void>;
}

/** What the provider may take beyond the deadline to end the last pod. */
const endWaitMs = 5_000;

/** Makes a supply; the named pools begin to fill. */
export function createPooledSupply(deps: PooledSupplyDeps, options: PooledSupplyOptions = {}): PooledSupply {
  const limits = { ...defaultSupplyLimits, ...options.limits };
  const pools = new Map<string, StackPool>();
  const applications = new Map<string, { definition: ApplicationDefinition; pods: ApplicationPods }>();
  const observers = new Set<(event: SupplyEvent) => void>();
  const living = new Set<Pod>();
  let closing: Promise<void> | undefined;

  const provider: PodProvider = {
    startPod(stack) {
      const pod = deps.provider.startPod(stack);
      living.add(pod);
      void pod.ended.then(() => living.delete(pod));
      return pod;
    },
  };
  const openPool = (poolOptions: PoolOptions): StackPool => {
    const pool = new StackPool({ ...deps, provider }, limits, poolOptions);
    pools.set(stackLabel(poolOptions.stack), pool);
    pool.fill();
    return pool;
  };
  const poolOf = (stack: Stack): StackPool =>
    pools.get(stackLabel(stack)) ?? openPool({ stack, minimum: options.defaultMinimum ?? 0 });
  const tell = (observer: (event: SupplyEvent) => void, event: SupplyEvent): void => {
    try {
      observer(event);
    } catch (thrown) {
      deps.log.write('error', 'An observer of the supply failed', { event: event.kind, reason: messageOf(thrown) });
    }
  };
  const podsOf = (definition: ApplicationDefinition): ApplicationPods => {
    const key = [definition.applicationId, definition.metadataVersion, definition.codeVersion].join(':');
    const known = applications.get(key);
    if (known !== undefined) return known.pods;
    const emit = (event: SupplyEvent): void => {
      for (const observer of [...observers]) tell(observer, event);
      if (event.kind === 'exited' && pods.isIdle) applications.delete(key);
    };
    const log = deps.log.child({ category: 'Host.Supply', applicationId: definition.applicationId });
    const pods = new ApplicationPods({ ...deps, log, poolOf }, { application: definition, limits, emit });
    applications.set(key, { definition, pods });
    return pods;
  };
  const closeAll = async (deadlineMs: number): Promise<void> => {
    for (const pool of pools.values()) pool.close(0);
    for (const { pods } of applications.values()) pods.close(deadlineMs);
    const all = [...living];
    for (const pod of all) pod.stop(deadlineMs);
    const ended = Promise.all(all.map((pod) => pod.ended));
    const inTime = await settlesWithin(deps.clock, 2 * deadlineMs + endWaitMs, ended);
    if (!inTime) deps.log.write('error', 'Some pods did not end', { left: living.size });
  };
  for (const pool of options.pools ?? []) openPool(pool);

  return {
    ensure(request) {
      if (closing === undefined) podsOf(request.application).wish(request);
    },
    release(workerId, reason) {
      for (const { pods } of applications.values()) if (pods.release(workerId, reason)) return;
    },
    watch(observer) {
      observers.add(observer);
      for (const { definition, pods } of applications.values())
        for (const workerId of pods.workerIds) tell(observer, { kind: 'expected', workerId, application: definition });
      return () => observers.delete(observer);
    },
    pools: () => [...pools.values()].map((pool) => pool.status()),
    close(deadlineMs) {
      closing ??= closeAll(deadlineMs);
      return closing;
    },
  };
}
