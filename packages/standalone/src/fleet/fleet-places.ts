/**
 * Which Runtimes an app may be on, and how much room they have: only those that region, tenant, isolation and their own limits
 * allow. The fleet owns the Runtimes and apps that this looks at.
 */
import type { RuntimeApplication } from '@switchyard/runtime';
import { mayHost, type RuntimePlace } from '@switchyard/scale-controller';
import { type FleetApp, homesOf, type PlaceDemands, tenantOf } from './fleet-app.ts';
import type { HostRuntime } from './host-runtime.ts';

/** One Runtime of the fleet. */
export interface FleetMember {
  readonly runtimeId: string;
  readonly kind: 'local' | 'started' | 'joined';
  readonly runtime: HostRuntime;
  readonly region: string | undefined;
  readonly maxWorkers: number;
  readonly maxApplications: number;
  /** Where its workers connect; undefined for the one of this process. */
  readonly rpcUrl: string | undefined;
  /** A part of what it may use; above `memoryLimit` it gets nothing new. */
  memoryUtilization: number;
  state: 'ready' | 'draining';
}

/** The workers of an app that a Runtime has, each with the id of that Runtime. */
export function workersOn({ runtimeId, runtime }: FleetMember, applicationId: string): readonly [string, string][] {
  const theirs = runtime.status(applicationId);
  return theirs.flatMap(({ workers }) => workers.map(({ workerId }): [string, string] => [workerId, runtimeId]));
}

export interface FleetPlacesDeps {
  readonly members: ReadonlyMap<string, FleetMember>;
  readonly apps: ReadonlyMap<string, FleetApp>;
  readonly demandsOf: (applicationId: string) => PlaceDemands;
  /** Why the app can be on the Runtime of this process alone; undefined when it can be anywhere. */
  readonly boundBy: (application: RuntimeApplication) => string | undefined;
}

/** A Runtime that uses more of its memory gets no app and no worker more. */
const memoryLimit = 0.85;

export class FleetPlaces {
  readonly #deps: FleetPlacesDeps;

  constructor(deps: FleetPlacesDeps) {
    this.#deps = deps;
  }

  /** The apps that a Runtime hosts. */
  appsOn(runtimeId: string): readonly string[] {
    return [...this.#deps.apps.values()]
      .filter(({ stays }) => stays.has(runtimeId))
      .map(({ applicationId }) => applicationId);
  }

  /** A Runtime as placement sees it. */
  placeOf({ runtimeId, region, maxWorkers, state, memoryUtilization, rpcUrl = '' }: FleetMember): RuntimePlace {
    const hosted = [...this.#deps.apps.values()].filter(({ stays }) => stays.has(runtimeId));
    const owner = hosted.find(({ applicationId }) => this.#deps.demandsOf(applicationId).isolation === 'dedicated');
    return {
      ...{ runtimeId, endpoint: rpcUrl, region, maxWorkers },
      connectedCount: this.#toldTo(runtimeId),
      tenantIds: [...new Set(hosted.map(tenantOf))],
      dedicatedTo: owner && tenantOf(owner),
      state: state === 'ready' && memoryUtilization < memoryLimit ? 'ready' : 'draining',
    };
  }

  /** Runtimes that may host the app: those that host it first, then those that did before a restart, then those with most room. */
  of(app: FleetApp): readonly FleetMember[] {
    const homes = [...new Set([...homesOf(app), ...app.remembered])];
    const rank = ({ runtimeId }: FleetMember): number =>
      homes.includes(runtimeId) ? homes.indexOf(runtimeId) : homes.length;
    return [...this.#deps.members.values()]
      .filter(({ runtimeId }) => this.mayBe(app, runtimeId))
      .toSorted(
        (one, other) =>
          rank(one) - rank(other) ||
          Number(other.kind === 'local') - Number(one.kind === 'local') ||
          this.roomOf(other) - this.roomOf(one),
      );
  }

  /** True when the app may be on this Runtime, or stay there. */
  mayBe(app: FleetApp, runtimeId: string): boolean {
    const member = this.#deps.members.get(runtimeId);
    if (member === undefined) return false;
    const isHere = app.stays.has(runtimeId);
    if (!isHere && this.appsOn(runtimeId).length >= member.maxApplications) return false;
    if (member.kind !== 'local' && this.#boundBy(app) !== undefined) return false;
    const { region, isolation = 'shared' } = this.#deps.demandsOf(app.applicationId);
    const place = this.placeOf(member);
    // Full memory keeps newcomers out, and drives nobody away.
    const state = isHere ? member.state : place.state;
    return mayHost({ ...place, state }, { tenantId: tenantOf(app), region, isolation, homes: [] });
  }

  #boundBy({ versions }: FleetApp): string | undefined {
    for (const { application } of versions.values()) {
      const reason = this.#deps.boundBy(application);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Why no Runtime may have it, in words. */
  whyNowhere(app: FleetApp): string {
    const { region, isolation } = this.#deps.demandsOf(app.applicationId);
    const bound = this.#boundBy(app);
    const asks = [
      ...(region === undefined ? [] : [`a Runtime in the region '${region}'`]),
      ...(isolation === 'dedicated' ? ["one that no other tenant's app is on"] : []),
      ...(bound === undefined ? [] : [`the installation's own one (${bound})`]),
    ];
    const what = asks.length === 0 ? 'every Runtime is full or draining' : `it asks for ${asks.join(', and ')}`;
    return `${what}; let one join, or allow more with --max-runtimes`;
  }

  /** Workers that it can have beside those that it was given. */
  roomOf({ runtimeId, maxWorkers }: FleetMember): number {
    return Math.max(0, maxWorkers - this.#toldTo(runtimeId));
  }

  #toldTo(runtimeId: string): number {
    let told = 0;
    for (const { versions } of this.#deps.apps.values()) {
      for (const { counts } of versions.values()) told += counts.get(runtimeId) ?? 0;
    }
    return told;
  }
}
