/**
 * A platform in one process and on virtual time: the real Runtime, sidecars and pooled supply, a fleet of fake workers,
 * and between them links that can be delayed, paused and cut.
 *
 * Ownership: the scenario owns the world and everything in it.
 */
import { silentLog, silentMeter } from '@switchyard/kernel';
import type { RuntimeApplication } from '@switchyard/runtime';
import { createPooledSupply, type PooledSupply } from '@switchyard/scale-controller';
import {
  type Chance,
  createChance,
  createEventLog,
  createFaultyLink,
  createSeededRandom,
  type Delivery,
  type EventLog,
  type FaultyLink,
  PeekLockQueue,
  VirtualClock,
} from '@switchyard/testkit';
import { type RuntimeProcess, startRuntimeProcess } from './runtime-process.ts';
import { createSimulatedApps, stack } from './simulated-apps.ts';
import { createSimulatedFleet, type SimulatedFleet } from './simulated-fleet.ts';
import { settleByOutcome } from './simulated-kinds.ts';
import { SimulatedLedger } from './simulated-ledger.ts';
import { createLoad, type LoadBugs } from './simulated-load.ts';
import { createSimulatedSidecars, type SimulatedSidecars } from './simulated-sidecars.ts';

/** Known bugs that a test puts into the world, to see that the simulator finds them. */
export interface InjectedBugs extends LoadBugs {
  readonly settle?: (delivery: Delivery, succeeded: boolean) => void;
  /** The app whose environment the workers of an app are given. */
  readonly specializeAs?: (applicationId: string) => string;
}

export interface SimulatedWorld {
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly events: EventLog;
  readonly ledger: SimulatedLedger;
  readonly apps: readonly RuntimeApplication[];
  readonly fleet: SimulatedFleet;
  readonly supply: PooledSupply;
  readonly sidecars: SimulatedSidecars;
  readonly queues: ReadonlyMap<string, PeekLockQueue>;
  process(): RuntimeProcess;
  /** Starts a Runtime, after the death of the one before, and gives it every app. */
  startRuntime(): Promise<void>;
  killRuntime(): void;
  request(app: RuntimeApplication): void;
  message(app: RuntimeApplication): void;
}

/** Longer than a hold and a function together may take. */
const queueOptions = { lockMs: 90_000, redeliveryMs: 500 };

/** What a frame between sidecar and Runtime takes at most. */
const maxDelayMs = 8;

export function createSimulatedWorld(seed: number, bugs: InjectedBugs = {}): SimulatedWorld {
  const chance = createChance(seed);
  const clock = new VirtualClock();
  const events = createEventLog(clock);
  const ledger = new SimulatedLedger();
  const apps = createSimulatedApps(chance);
  const queues = new Map(
    apps.map(({ definition }) => [definition.applicationId, new PeekLockQueue(clock, queueOptions)] as const),
  );
  const fleet = createSimulatedFleet({
    clock,
    chance: chance.fork(),
    ledger,
    accept: (link) => sidecars.acceptWorker(link),
  });
  let process: RuntimeProcess;
  const linkChance = chance.fork();
  const dial = (): FaultyLink => {
    const link = createFaultyLink(clock, { delayMs: () => linkChance.between(0, maxDelayMs) });
    if (process.isAlive) process.accept(link.acceptor);
    else link.cut();
    return link;
  };
  const sidecars = createSimulatedSidecars({ clock, processes: fleet, dial, seed });
  const supply = createSupply({ clock, sidecars, apps, seed }, bugs.specializeAs ?? ((applicationId) => applicationId));
  const start = (): RuntimeProcess => {
    const settle = (delivery: Delivery, succeeded: boolean): void => {
      events.note(`${delivery.messageId} ${succeeded ? 'succeeded' : 'failed'} in delivery ${delivery.count}`);
      ledger.settling(delivery, succeeded);
      (bugs.settle ?? settleByOutcome)(delivery, succeeded);
    };
    const queueOf = (applicationId: string): PeekLockQueue =>
      queues.get(applicationId) ?? new PeekLockQueue(clock, queueOptions);
    return startRuntimeProcess({ clock, log: silentLog, chance: chance.fork(), supply, kinds: { queueOf, settle } });
  };
  process = start();
  const load = createLoad({ events, ledger, queues, process: () => process }, bugs);
  return {
    clock,
    chance,
    events,
    ledger,
    apps,
    fleet,
    supply,
    sidecars,
    queues,
    process: () => process,
    async startRuntime() {
      if (!process.isAlive) process = start();
      const { runtime } = process;
      // An app that does not come up comes up later by itself; the end of the run shows whether it did.
      await Promise.allSettled(apps.map((app) => runtime.addApplication(app)));
    },
    killRuntime() {
      process.kill();
      for (const link of sidecars.runtimeLinks()) link.cut();
      load.connectionsBroke();
    },
    request: load.request,
    message: load.message,
  };
}

interface SupplyParts {
  readonly clock: VirtualClock;
  readonly sidecars: SimulatedSidecars;
  readonly apps: readonly RuntimeApplication[];
  readonly seed: number;
}

function createSupply(
  { clock, sidecars, apps, seed }: SupplyParts,
  specializeAs: (id: string) => string,
): PooledSupply {
  const appOf = (id: string): RuntimeApplication | undefined =>
    apps.find(({ definition }) => definition.applicationId === id);
  return createPooledSupply(
    {
      clock,
      log: silentLog,
      random: createSeededRandom(seed + 2),
      meter: silentMeter,
      provider: sidecars,
      assignments: {
        assignmentOf: async (application) => ({
          stack,
          assignment: {
            runtimeEndpoint: 'memory',
            application,
            tenantId: appOf(application.applicationId)?.tenantId ?? '',
            content: { kind: 'folder', scriptRoot: `/apps/${application.applicationId}` },
            environment: appOf(specializeAs(application.applicationId))?.settings ?? new Map(),
            token: undefined,
          },
        }),
      },
    },
    { defaultMinimum: 2 },
  );
}
