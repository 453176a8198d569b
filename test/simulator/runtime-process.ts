/**
 * One life of the Runtime in a simulated world: the real Runtime on a clock, a supply and trigger kinds that end with it.
 *
 * Ownership: the world owns it. What the supply tells it comes late, and sometimes twice.
 */
import { type Clock, type Log, silentMeter } from '@switchyard/kernel';
import type { Link, SupplyEvent, WorkerSupply } from '@switchyard/protocol';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import { type Chance, createMortalClock, createSeededRandom } from '@switchyard/testkit';
import { createSimulatedKinds, type SimulatedKindsOptions } from './simulated-kinds.ts';

export interface RuntimeProcess {
  readonly runtime: Runtime;
  readonly isAlive: boolean;
  readonly pendingTimers: number;
  accept(link: Link): void;
  /** The process is gone: its links break, its timers and listeners are no more. */
  kill(): void;
}

export interface RuntimeProcessDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly chance: Chance;
  readonly supply: WorkerSupply;
  readonly kinds: Omit<SimulatedKindsOptions, 'isAlive'>;
}

/** What an event of the supply takes at most. */
const maxSupplyDelayMs = 5;

export function startRuntimeProcess({ clock, log, chance, supply, kinds }: RuntimeProcessDeps): RuntimeProcess {
  const mortal = createMortalClock(clock);
  const runtime = createRuntime(
    {
      clock: mortal,
      log,
      random: createSeededRandom(chance.between(0, 2 ** 31)),
      meter: silentMeter,
      supply: createUnreliableSupply(supply, mortal, chance.fork()),
      kinds: createSimulatedKinds({ ...kinds, isAlive: () => mortal.isAlive }),
      verifyWorker: () => ({ kind: 'accepted' }),
    },
    { cpus: 1 },
  );
  return {
    runtime,
    get isAlive() {
      return mortal.isAlive;
    },
    get pendingTimers() {
      return mortal.pendingTimers;
    },
    accept: (link) => runtime.acceptWorker(link),
    kill: () => mortal.kill(),
  };
}

/** Events come late, in order, and `expected` sometimes twice; a dead Runtime neither hears nor asks. */
function createUnreliableSupply(
  supply: WorkerSupply,
  clock: ReturnType<typeof createMortalClock>,
  chance: Chance,
): WorkerSupply {
  let lastDueMs = 0;
  return {
    ensure: (request) => {
      if (clock.isAlive) supply.ensure(request);
    },
    release: (workerId, reason) => {
      if (clock.isAlive) supply.release(workerId, reason);
    },
    watch: (observer) =>
      supply.watch((event: SupplyEvent) => {
        if (!clock.isAlive) return;
        lastDueMs = Math.max(lastDueMs, clock.now() + chance.between(0, maxSupplyDelayMs));
        clock.schedule(lastDueMs - clock.now(), () => {
          observer(event);
          if (event.kind === 'expected' && chance.happens(0.1)) observer(event);
        });
      }),
  };
}
