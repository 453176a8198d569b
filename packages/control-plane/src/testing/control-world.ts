/**
 * A whole control plane on virtual time: all workers over one state and one target, with events that can be lost, doubled,
 * swapped or late, and a process that can die after any of its writes.
 */
import { type Log, silentMeter } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { WorkerName } from '@switchyard/protocol/control-api';
import { workerNames } from '@switchyard/protocol/control-api';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { DomainCommands } from '../domain/commands.ts';
import type { DomainState, Span } from '../frame/contract.ts';
import { WorkerHost } from '../frame/worker-host.ts';
import { workerTable } from '../frame/worker-table.ts';
import { createComputeTargets } from '../targets/compute-targets.ts';
import { createWorkers } from '../workers/create-workers.ts';
import { readAppliedState } from '../workers/drift/desired-state.ts';
import type { ProbeVerdict } from '../workers/health/probe-runner.ts';
import { generatedTarget } from '../workers/secrets/rotation-target.ts';
import { MemoryState } from './memory-state.ts';
import { MemoryTarget } from './memory-target.ts';
import { MemoryVault } from './memory-vault.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly workers?: readonly WorkerName[];
  readonly canReload?: boolean;
  /** What the compute target is called; `memory` when left out. */
  readonly targetName?: string;
  readonly log?: Log;
  /** When the copies of an event are handed over: [0] is undisturbed, [] loses it, [0, 0] doubles it. */
  readonly delaysOf?: (event: EventEnvelope, index: number) => readonly number[];
  /** The process dies after this write, counted from 1, and another one starts. */
  readonly crashAfter?: number;
}

export interface RefusedEvent {
  readonly worker: WorkerName;
  readonly event: EventEnvelope;
  readonly reason: string;
}

interface Queued {
  readonly worker: WorkerName;
  readonly event: EventEnvelope;
  readonly deliveryCount: number;
}

/** How long a dead process leaves its place empty. */
const restartMs = 2_000;
const lockMs = 5_000;

class Crash extends Error {}

export class ControlWorld {
  readonly clock = new VirtualClock();
  readonly state = new MemoryState(() => this.clock.now());
  readonly target: MemoryTarget;
  readonly vault = new MemoryVault(() => this.#onWrite());
  readonly commands: DomainCommands;
  readonly spans: Span[] = [];
  readonly deadLetters: RefusedEvent[] = [];
  /** What every probe of a service says; a passed one where nothing is given. */
  readonly verdicts = new Map<string, ProbeVerdict>();
  /** The demand on a service, shared by its replicas. */
  readonly demand = new Map<string, number>();
  /** Writes of any kind so far. */
  writes = 0;
  readonly #options: WorldOptions;
  readonly #random;
  #hosts = new Map<WorkerName, WorkerHost>();
  #generation = 0;
  #events = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed ?? 1);
    const onCall = (): void => {};
    const { targetName = 'memory' } = options;
    this.target = new MemoryTarget({
      name: targetName,
      canReload: options.canReload ?? true,
      onWrite: () => this.#onWrite(),
      onCall,
    });
    this.state.onEvents = () => this.#publish();
    this.commands = new DomainCommands({ clock: this.clock, random: this.#random, state: this.state });
  }

  start(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const isAlive = (): boolean => this.#generation === generation;
    const state = aliveOnly(this.state, isAlive, () => this.#onWrite());
    const deps = {
      clock: this.clock,
      random: this.#random,
      log: this.#options.log ?? quiet,
      meter: silentMeter,
      state,
      spans: { record: (span: Span) => this.spans.push(span) },
    };
    const names = this.#options.workers ?? workerNames;
    const verdictOf = async (_probe: unknown, { serviceId }: { readonly serviceId: string }): Promise<ProbeVerdict> =>
      this.verdicts.get(serviceId) ?? { outcome: 'passed', message: '' };
    const ports = {
      clock: this.clock,
      random: this.#random,
      targets: createComputeTargets([aliveOnly(this.target, isAlive)]),
      vault: aliveOnly(this.vault, isAlive),
      probes: { http: verdictOf, tcp: verdictOf, exec: verdictOf, grpc: verdictOf, target: verdictOf },
      telemetry: { read: async (serviceId: string) => this.#perReplica(serviceId) },
      readDesired: readAppliedState,
      rotationTargets: { generated: generatedTarget, 'postgresql-user': generatedTarget },
    };
    for (const worker of createWorkers(ports, names)) {
      const options = { holder: `plane-${generation}`, rule: workerTable[worker.name] };
      const host = new WorkerHost(deps, worker, options);
      this.#hosts.set(worker.name, host);
      host.start();
    }
  }

  /** Lets time pass; events are handed over as they come. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  host(name: WorkerName): WorkerHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no ${name}`);
    return host;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.stop()));
  }

  /** Hands over what was told since the last time. */
  #publish(): void {
    for (const event of this.state.takeEvents()) {
      const delays = this.#options.delaysOf?.(event, this.#events) ?? [0];
      this.#events += 1;
      for (const delay of delays) {
        for (const worker of this.#options.workers ?? workerNames) {
          if (!(workerTable[worker].events as readonly string[]).includes(event.eventType)) continue;
          this.clock.schedule(delay, () => this.#deliver({ worker, event, deliveryCount: 1 }));
        }
      }
    }
  }

  #deliver(queued: Queued): void {
    const { worker, event, deliveryCount } = queued;
    const again = (delayMs: number): void => {
      this.clock.schedule(delayMs, () => this.#deliver({ ...queued, deliveryCount: deliveryCount + 1 }));
    };
    const host = this.#hosts.get(worker);
    // Nobody is there to take it: the bus keeps it.
    if (host === undefined) {
      again(restartMs);
      return;
    }
    const generation = this.#generation;
    host.handle({ envelope: event, deliveryCount }).then(
      (verdict) => {
        // A process that died says nothing: the lock runs out.
        if (generation !== this.#generation) return again(lockMs);
        if (verdict.kind === 'retry') again(verdict.afterMs ?? 1_000 * 2 ** deliveryCount);
        if (verdict.kind === 'refuse') this.deadLetters.push({ worker, event, reason: verdict.reason });
      },
      () => again(lockMs),
    );
  }

  #onWrite(): void {
    this.writes += 1;
    if (this.writes !== this.#options.crashAfter) return;
    // From here on the process is no more: what it still tries is refused by `aliveOnly`.
    this.#generation += 1;
    const dead = [...this.#hosts.values()];
    this.#hosts = new Map();
    this.clock.schedule(restartMs, () => this.start());
    for (const host of dead) void host.stop();
    throw new Crash('the process died');
  }

  #perReplica(serviceId: string): number | undefined {
    const demand = this.demand.get(serviceId);
    const replicas = this.target.services.get(serviceId)?.limits.minReplicas ?? 1;
    return demand === undefined ? undefined : demand / Math.max(1, replicas);
  }
}

const quiet: Log = { write: () => {}, child: () => quiet };

/** A port of a process: once the process is dead, nothing goes through. Commits count as writes. */
function aliveOnly<Port extends object>(port: Port, isAlive: () => boolean, onCommit?: () => void): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...given: unknown[]): Promise<unknown> => {
        if (!isAlive()) throw new Crash('the process is dead');
        const result: unknown = await value.apply(target, given);
        if (name === 'commit' && isWriting(given[0])) onCommit?.();
        if (!isAlive()) throw new Crash('the process is dead');
        return result;
      };
    },
  });
}

function isWriting(commit: unknown): boolean {
  const { puts, removes, events } = commit as Parameters<DomainState['commit']>[0];
  return puts.length + removes.length + events.length > 0;
}
