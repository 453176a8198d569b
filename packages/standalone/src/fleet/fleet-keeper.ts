/**
 * Starts a Runtime when apps need one, and ends it when it has had none for long enough.
 *
 * Ownership: the composition root. It owns the processes that it starts; those that join by themselves are their owners'.
 *
 * I1 There are never more Runtimes than `maximum`, those included that have not joined yet.
 * I2 A Runtime that is ended has no app any more, or its time for that is over.
 * I3 A start that fails is told, and followed by another one after a wait that grows, as long as one is needed.
 * I4 After `close` every process that was started here has ended.
 */
import { backoffMs, type Clock, type Log, type Random, settlesWithin, type Timer } from '@switchyard/kernel';
import { planRuntimes } from '@switchyard/scale-controller';
import type { FleetDoor } from './fleet-door.ts';
import type { RuntimeNeed } from './fleet-options.ts';
import type { FleetRuntime } from './fleet-runtime.ts';
import type { RuntimeProvider, StartedRuntime } from './runtime-provider.ts';

export interface FleetKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fleet: Pick<FleetRuntime, 'members' | 'appsOn' | 'drainMember'>;
  readonly door: Pick<FleetDoor, 'runtimeIdOf' | 'dead'>;
  readonly provider: RuntimeProvider;
}

export interface FleetKeeperOptions {
  readonly maximum: number;
  readonly idleMs: number;
  readonly drainMs: number;
}

const tickMs = 250;
/** A need that nobody has repeated for so long is over. */
const needMs = 1_500;
/** How long a process may take to join. */
const joinMs = 60_000;
const stopMs = 60_000;
const restart = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.2 };

export class FleetKeeper {
  readonly #deps: FleetKeeperDeps;
  readonly #options: FleetKeeperOptions;
  readonly #needs = new Map<string, { readonly need: RuntimeNeed; readonly atMs: number }>();
  readonly #started = new Map<string, { readonly runtime: StartedRuntime; readonly atMs: number }>();
  readonly #emptySince = new Map<string, number>();
  readonly #living = new Set<StartedRuntime>();
  #startsAtMs = 0;
  #failures = 0;
  #memberCount: number | undefined;
  #number = 1;
  #timer: Timer | undefined;

  constructor(deps: FleetKeeperDeps, options: FleetKeeperOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#schedule();
  }

  /** An app has no place, or too little room. */
  need(need: RuntimeNeed): void {
    this.#needs.set(need.applicationId, { need, atMs: this.#deps.clock.monotonic() });
  }

  /** True while another Runtime for a region could be started, or is on its way. */
  mayCome(region: string | undefined): boolean {
    const { fleet, door, provider } = this.#deps;
    if (region !== undefined && region !== provider.region) return false;
    const isStarting = [...this.#started.keys()].some((instanceId) => door.runtimeIdOf(instanceId) === undefined);
    return isStarting || fleet.members.length < this.#options.maximum;
  }

  isOurs(instanceId: string): boolean {
    return this.#started.has(instanceId);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const runtime of this.#living) runtime.stop(stopMs);
    const ended = Promise.all([...this.#living].map((runtime) => runtime.ended));
    await settlesWithin(this.#deps.clock, 2 * stopMs, ended);
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.schedule(tickMs, () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const { clock, fleet, door, provider } = this.#deps;
    const { maximum, idleMs } = this.#options;
    const nowMs = clock.monotonic();
    // A Runtime that is new may be all that was needed; what is still needed is said again.
    if (fleet.members.length > (this.#memberCount ?? fleet.members.length)) this.#needs.clear();
    this.#memberCount = fleet.members.length;
    for (const [key, { atMs }] of this.#needs) if (nowMs - atMs > needMs) this.#needs.delete(key);
    const starting = [...this.#started].filter(([instanceId]) => door.runtimeIdOf(instanceId) === undefined);
    for (const [, { runtime, atMs }] of starting) if (nowMs - atMs > joinMs) runtime.stop(0);
    const actions = planRuntimes(
      {
        regions: [...this.#needs.values()].map(({ need }) => need.region),
        runtimes: fleet.members.map(({ runtimeId, kind, state }) => ({
          ...{ runtimeId, kind, isDraining: state === 'draining' },
          emptySinceMs: this.#emptySinceOf(runtimeId, nowMs),
        })),
        startingCount: starting.length,
        region: provider.region,
        ...{ maximum, idleMs },
      },
      nowMs,
    );
    for (const action of actions) {
      if (action.kind === 'end') void this.#end(action.runtimeId);
      else if (nowMs >= this.#startsAtMs) void this.#start();
    }
  }

  #emptySinceOf(runtimeId: string, nowMs: number): number | undefined {
    if (this.#deps.fleet.appsOn(runtimeId).length > 0) this.#emptySince.delete(runtimeId);
    else if (!this.#emptySince.has(runtimeId)) this.#emptySince.set(runtimeId, nowMs);
    return this.#emptySince.get(runtimeId);
  }

  async #start(): Promise<void> {
    const { clock, random, log, provider, door } = this.#deps;
    const instanceId = random.uuid();
    this.#number += 1;
    const [{ need } = { need: undefined }] = this.#needs.values();
    // Counted at once, so that the next look starts no second one.
    this.#startsAtMs = clock.monotonic() + restart.minimumMs;
    const runtime = await provider.start(instanceId, `runtime-${this.#number}`);
    this.#living.add(runtime);
    this.#started.set(instanceId, { runtime, atMs: clock.monotonic() });
    log.write('information', 'A Runtime is started', {
      instanceId,
      applicationId: need?.applicationId,
      reason: need?.reason,
    });
    const lastWords = await runtime.ended;
    this.#living.delete(runtime);
    const runtimeId = door.runtimeIdOf(instanceId);
    this.#started.delete(instanceId);
    if (runtimeId !== undefined) {
      this.#failures = 0;
      this.#emptySince.delete(runtimeId);
      door.dead(runtimeId);
    } else if (this.#timer !== undefined) {
      const retryInMs = backoffMs(restart, this.#failures, random);
      this.#failures += 1;
      this.#startsAtMs = clock.monotonic() + retryInMs;
      log.write('error', 'A Runtime ended before it joined', { instanceId, lastWords, retryInMs });
    }
  }

  async #end(runtimeId: string): Promise<void> {
    const { fleet, door, log } = this.#deps;
    const started = [...this.#started].find(([instanceId]) => door.runtimeIdOf(instanceId) === runtimeId);
    if (started === undefined) return;
    log.write('information', 'A Runtime that is not needed any more ends', { runtimeId });
    await fleet.drainMember(runtimeId, this.#options.drainMs);
    started[1].runtime.stop(stopMs);
  }
}
