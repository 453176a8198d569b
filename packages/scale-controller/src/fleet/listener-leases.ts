/**
 * Whose listeners run: of the Runtimes that host an app, exactly one listens for each of its functions, by a lease.
 *
 * States of a lease: free -> held -> revoked -> free. A held lease is renewed whenever its holder reports, and carries an epoch
 * that is greater than that of every lease before it. Whoever holds counts its time from before it asked, so it stops before
 * anybody else may begin. Answers to a Runtime are numbered, and each of its reports names the last one that it has adopted:
 * so a revoked lease is free as soon as an answer without it was adopted, whatever is late or lost.
 *
 * Ownership: the installation has one of these, on its own clock. Runtimes of other processes report every second or so; the
 * one of this process is told by `watch`, and stops at once.
 *
 * I1 No two Runtimes hold a function at the same time: a lease is granted anew only when its holder has adopted its end, when
 *    its time has run out, or when its process is known to be gone.
 * I2 The epochs of a function only grow, over restarts too.
 * I3 A Runtime that may no longer host the app gets no more time, and no new lease.
 * I4 The functions of an app are spread evenly over its Runtimes; a lease moves only when that makes the spread more even by
 *    two, one at a time.
 * I5 After a restart nothing is granted before leases of the time before have run out, where somebody may hold one.
 */
import type { Clock } from '@switchyard/kernel';

/** The right to listen for a function. */
export interface ListenerGrant {
  readonly applicationId: string;
  readonly functionName: string;
  readonly epoch: number;
}

/** What a Runtime may listen for. */
export interface ListenerAnswer {
  readonly grants: readonly ListenerGrant[];
  /** Grows with every answer to the same Runtime. */
  readonly sequence: number;
}

export interface ListenerLeasesOptions {
  readonly ttlMs: number;
  /** Greater at every start of the installation. */
  readonly generation: number;
  /** Runtimes of the time before may still listen. */
  readonly hasPredecessors: boolean;
  /** The Runtime of this process: its leases need no time. */
  readonly localId: string;
}

interface HeldLease {
  readonly holder: string;
  readonly epoch: number;
  untilMs: number;
  /** How many answers the holder had got when the lease was revoked; undefined while it is held. */
  revokedAfter: number | undefined;
}

interface LeasedApp {
  functions: readonly string[];
  /** The home first. */
  runtimes: readonly string[];
  readonly leases: Map<string, HeldLease>;
}

/** Epochs of one generation; nobody grants that many. */
const epochsPerGeneration = 2 ** 30;

export class ListenerLeases {
  readonly #clock: Clock;
  readonly #options: ListenerLeasesOptions;
  readonly #apps = new Map<string, LeasedApp>();
  readonly #observers = new Set<(applicationId: string) => void>();
  readonly #quietUntilMs: number;
  /** How many answers each Runtime has got. */
  readonly #answers = new Map<string, number>();
  #epoch: number;

  constructor(clock: Clock, options: ListenerLeasesOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#epoch = options.generation * epochsPerGeneration;
    this.#quietUntilMs = clock.monotonic() + (options.hasPredecessors ? options.ttlMs : 0);
  }

  /** Which functions of an app need a listener, and which Runtimes host it, the home first. */
  want(applicationId: string, functions: readonly string[], runtimes: readonly string[]): void {
    const app = this.#apps.get(applicationId) ?? { functions, runtimes, leases: new Map() };
    app.functions = functions;
    app.runtimes = runtimes;
    this.#apps.set(applicationId, app);
    this.#settle(applicationId, app);
  }

  /**
   * A Runtime of another process reports that it lives, and the last answer that it has adopted (0 for none). Answers what it
   * may listen for from now on; its time counts from when the report was sent.
   */
  report(runtimeId: string, adopted: number): ListenerAnswer {
    for (const { leases } of this.#apps.values()) {
      for (const [functionName, { holder, revokedAfter }] of leases) {
        if (holder === runtimeId && revokedAfter !== undefined && adopted > revokedAfter) leases.delete(functionName);
      }
    }
    this.look();
    const sequence = this.#answersOf(runtimeId) + 1;
    this.#answers.set(runtimeId, sequence);
    const untilMs = this.#clock.monotonic() + this.#options.ttlMs;
    const grants = this.#held(runtimeId).map(({ lease, ...names }) => {
      lease.untilMs = untilMs;
      return { ...names, epoch: lease.epoch };
    });
    return { grants, sequence };
  }

  /** Looks at what has run out. To be called now and then. */
  look(): void {
    for (const [applicationId, app] of this.#apps) this.#settle(applicationId, app);
  }

  /** The process of a Runtime is gone, so nothing listens there. */
  dead(runtimeId: string): void {
    for (const app of this.#apps.values()) {
      for (const [functionName, { holder }] of app.leases) if (holder === runtimeId) app.leases.delete(functionName);
    }
    this.#answers.delete(runtimeId);
    this.look();
  }

  /** True while the Runtime of this process may listen. */
  mayListenHere(applicationId: string, functionName: string): boolean {
    const lease = this.#apps.get(applicationId)?.leases.get(functionName);
    return lease?.holder === this.#options.localId && lease.revokedAfter === undefined;
  }

  /** The Runtime that listens for a function, or did so last and has not stopped yet. */
  holderOf(applicationId: string, functionName: string): string | undefined {
    return this.#apps.get(applicationId)?.leases.get(functionName)?.holder;
  }

  /** How many functions a Runtime listens for. */
  countOf(runtimeId: string): number {
    return this.#held(runtimeId).length;
  }

  /** Calls back when an app's leases have changed. Returns the unsubscriber. */
  watch(observer: (applicationId: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  #answersOf(runtimeId: string): number {
    return this.#answers.get(runtimeId) ?? 0;
  }

  #held(runtimeId: string) {
    return [...this.#apps].flatMap(([applicationId, { leases }]) =>
      [...leases].flatMap(([functionName, lease]) =>
        lease.holder === runtimeId && lease.revokedAfter === undefined ? [{ applicationId, functionName, lease }] : [],
      ),
    );
  }

  #revoke(lease: HeldLease): void {
    lease.revokedAfter ??= this.#answersOf(lease.holder);
  }

  #settle(applicationId: string, app: LeasedApp): void {
    const before = describe(app);
    const wanted = new Set(app.functions);
    for (const [functionName, lease] of app.leases) {
      if (!wanted.has(functionName) || !app.runtimes.includes(lease.holder)) this.#revoke(lease);
    }
    this.#spread(app);
    this.#free(app);
    const isQuiet = this.#clock.monotonic() < this.#quietUntilMs;
    for (const functionName of isQuiet ? [] : app.functions) {
      if (!app.leases.has(functionName)) this.#grant(app, functionName);
    }
    if (app.functions.length === 0 && app.leases.size === 0) this.#apps.delete(applicationId);
    if (describe(app) === before) return;
    for (const observer of [...this.#observers]) observer(applicationId);
  }

  /** What is revoked here stops as soon as observers hear of it, which is before anybody else can begin. */
  #free({ leases }: LeasedApp): void {
    const nowMs = this.#clock.monotonic();
    for (const [functionName, { holder, revokedAfter, untilMs }] of leases) {
      const isStopped = revokedAfter !== undefined && holder === this.#options.localId;
      if (isStopped || untilMs <= nowMs) leases.delete(functionName);
    }
  }

  #spread({ runtimes, leases }: LeasedApp): void {
    if ([...leases.values()].some(({ revokedAfter }) => revokedAfter !== undefined)) return;
    const ranked = rank(runtimes, leases);
    const [fewest] = ranked;
    const most = ranked.at(-1);
    if (fewest === undefined || most === undefined || most.count - fewest.count < 2) return;
    const moved = [...leases.values()].findLast(({ holder }) => holder === most.runtimeId);
    if (moved !== undefined) this.#revoke(moved);
  }

  #grant(app: LeasedApp, functionName: string): void {
    const [fewest] = rank(app.runtimes, app.leases);
    if (fewest === undefined) return;
    this.#epoch += 1;
    const isHere = fewest.runtimeId === this.#options.localId;
    const untilMs = isHere ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + this.#options.ttlMs;
    app.leases.set(functionName, { holder: fewest.runtimeId, epoch: this.#epoch, untilMs, revokedAfter: undefined });
  }
}

/** The Runtimes by how many leases they have; of equals the one in front comes first. */
function rank(runtimes: readonly string[], leases: ReadonlyMap<string, HeldLease>) {
  const holders = [...leases.values()].map(({ holder }) => holder);
  return runtimes
    .map((runtimeId) => ({ runtimeId, count: holders.filter((holder) => holder === runtimeId).length }))
    .toSorted((one, other) => one.count - other.count);
}

const describe = ({ leases }: LeasedApp): string =>
  [...leases].map(([name, { epoch, revokedAfter }]) => [name, epoch, revokedAfter].join('\n')).join('\n\n');
