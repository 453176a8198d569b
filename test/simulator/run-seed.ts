/** One run of the simulator: load and faults by the seed, then a healed world and its books. */
import type { SeedRun } from '@switchyard/testkit';
import { simulatedFaults } from './simulated-faults.ts';
import { createSimulatedWorld, type InjectedBugs, type SimulatedWorld } from './simulated-world.ts';

/** How long load and faults last, in virtual time. */
const stormMs = 6_000;

/** What a healed world may take until everything is settled: locks end, hung workers are found, back-offs run out. */
const settlingMs = 300_000;

/** How long the parts have to close. */
const closingMs = 1_000;

export interface SimulatedRun extends SeedRun {
  /** Requests and messages. */
  readonly accepted: number;
  readonly answered: ReadonlyMap<string, number>;
  /** The names of the faults that struck. */
  readonly faults: readonly string[];
}

export async function runSeed(seed: number, bugs: InjectedBugs = {}): Promise<SimulatedRun> {
  const world = createSimulatedWorld(seed, bugs);
  const { clock, ledger, events } = world;
  const violations: string[] = [];
  const faults: string[] = [];
  try {
    await clock.runUntil(world.startRuntime());
    planLoad(world);
    planFaults(world, faults);
    await clock.advance(stormMs + 2_500);
    world.fleet.heal();
    await settle(world);
    violations.push(...checkSettled(world));
    await close(world);
    // Once more, for an answer or a settlement that came too late and was one too many.
    violations.push(...checkBooks(world).filter((found) => !violations.includes(found)));
    violations.push(...checkClosed(world));
  } catch (thrown) {
    violations.push(`the run broke off: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  }
  return { seed, violations, events: events.lines, accepted: ledger.accepted, answered: ledger.answered, faults };
}

function planLoad({ clock, chance, apps, request, message }: SimulatedWorld): void {
  const loads = chance.between(10, 40);
  for (let load = 0; load < loads; load += 1) {
    const app = chance.pick(apps);
    const send = chance.happens(0.5) ? request : message;
    clock.schedule(chance.between(0, stormMs), () => send(app));
  }
}

function planFaults(world: SimulatedWorld, struck: string[]): void {
  const { clock, chance, events } = world;
  const count = chance.between(1, 6);
  for (let fault = 0; fault < count; fault += 1) {
    const { name, strike } = chance.pick(simulatedFaults);
    clock.schedule(chance.between(0, stormMs), () => {
      events.note(`fault: ${name}`);
      struck.push(name);
      strike(world);
    });
  }
}

/** Goes on until every message is completed and every app serves, at most for the settling time. */
async function settle(world: SimulatedWorld): Promise<void> {
  const endMs = world.clock.now() + settlingMs;
  while (world.clock.now() < endMs && !isSettled(world)) await world.clock.advance(5_000);
}

function isSettled(world: SimulatedWorld): boolean {
  return checkSettled(world).length === 0;
}

function checkBooks({ queues, ledger }: SimulatedWorld): readonly string[] {
  const all = [...queues.values()];
  const completed = (id: string): boolean => all.some((queue) => queue.hasCompleted(id));
  return [...ledger.check(completed), ...all.flatMap(({ violations }) => violations)];
}

function checkSettled(world: SimulatedWorld): readonly string[] {
  const { apps, process, fleet } = world;
  const found = [...checkBooks(world)];
  const living = new Set(fleet.living().map(({ worker }) => worker.workerId));
  const hosts = process().runtime.status();
  for (const { definition, settings } of apps) {
    const { applicationId } = definition;
    const host = hosts.find((status) => status.applicationId === applicationId);
    const ready = host?.workers.filter(({ state }) => state === 'ready') ?? [];
    const wanted = Number(settings.get('FUNCTIONS_WORKER_PROCESS_COUNT'));
    if (host?.state !== 'active') found.push(`${applicationId} is ${host?.state ?? 'not there'}, not active`);
    if (ready.length !== wanted) found.push(`${applicationId} has ${ready.length} ready workers instead of ${wanted}`);
    for (const { workerId } of ready) {
      if (!living.has(workerId)) found.push(`worker ${workerId} of ${applicationId} is ready, and has ended`);
    }
    for (const { workerId, inFlight } of host?.workers ?? []) {
      if (inFlight !== 0) found.push(`worker ${workerId} of ${applicationId} still runs ${inFlight} invocations`);
    }
  }
  return found;
}

async function close({ clock, process, supply, sidecars }: SimulatedWorld): Promise<void> {
  await clock.runUntil(process().runtime.drain(closingMs));
  await clock.runUntil(supply.close(closingMs));
  await clock.runUntil(sidecars.close(closingMs));
  // What the supply and the links still had to say arrives within this.
  await clock.advance(50);
}

function checkClosed({ clock, fleet, process, sidecars }: SimulatedWorld): readonly string[] {
  const left: readonly (readonly [string, number])[] = [
    ['timers of the Runtime', process().pendingTimers],
    ['timers', clock.pendingTimers - fleet.pendingTimers],
    ['links to the Runtime', sidecars.runtimeLinks().length],
    ['sidecars', sidecars.living().length],
    ['workers', fleet.living().length],
    ['JobHosts', process().runtime.status().length],
  ];
  return left.flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${what} are left after everything was closed`],
  );
}
