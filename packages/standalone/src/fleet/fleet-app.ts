/** An app as the fleet knows it: what it was told, and where it is. */
import type { RuntimeApplication, TrafficOptions, TrafficShare, WorkerWish } from '@switchyard/runtime';

export interface FleetVersion {
  readonly application: RuntimeApplication;
  wish: WorkerWish | undefined;
  /** Workers that each Runtime was told to have. */
  counts: ReadonlyMap<string, number>;
  /** What each Runtime was told last, as text. */
  readonly told: Map<string, string>;
  toldAtMs: number;
}

/**
 * Where an app is on a Runtime: `entering` while its versions are brought there, `serving` once requests may go there, `leaving`
 * while it finishes what it has there.
 */
export interface Stay {
  state: 'entering' | 'serving' | 'leaving';
  /** Since when it has nothing to do there, of a Runtime that is not its home. */
  idleSinceMs: number | undefined;
}

export interface FleetApp {
  readonly applicationId: string;
  /** By `versionKey`, oldest first. */
  readonly versions: Map<string, FleetVersion>;
  traffic: { readonly shares: readonly TrafficShare[]; readonly options: TrafficOptions | undefined } | undefined;
  /** By Runtime; the first one that is not leaving is its home. */
  readonly stays: Map<string, Stay>;
  /** Where it was before the controller was started anew, its home first; empty once it has come back, or is where it stays. */
  remembered: readonly string[];
  /** So long it is waited for those. */
  rememberedUntilMs: number;
}

/** What the owner of an app asks of its place. */
export interface PlaceDemands {
  readonly region?: string | undefined;
  readonly isolation?: 'shared' | 'dedicated' | undefined;
}

export function createFleetApp(applicationId: string, remembered: readonly string[] = [], untilMs = 0): FleetApp {
  const places = { stays: new Map(), remembered, rememberedUntilMs: untilMs };
  return { applicationId, versions: new Map(), traffic: undefined, ...places };
}

/** The Runtimes that host the app, its home first. */
export function homesOf({ stays }: FleetApp): readonly string[] {
  return [...stays].filter(([, { state }]) => state !== 'leaving').map(([runtimeId]) => runtimeId);
}

/** The first of its Runtimes from now on. */
export function makeHome({ stays }: FleetApp, runtimeId: string): void {
  const all = [...stays];
  stays.clear();
  for (const [id, stay] of all.toSorted(([one], [other]) => Number(other === runtimeId) - Number(one === runtimeId)))
    stays.set(id, stay);
}

export function servingOf({ stays }: FleetApp): readonly string[] {
  return [...stays].filter(([, { state }]) => state === 'serving').map(([runtimeId]) => runtimeId);
}

export function tenantOf({ versions }: FleetApp): string {
  return [...versions.values()].at(-1)?.application.tenantId ?? '';
}

/** Every name that the app answers to. */
export function hostNamesOf({ applicationId, versions }: FleetApp): readonly string[] {
  const names = [...versions.values()].flatMap(({ application }) => application.hostNames);
  return [`${applicationId}.localhost`, ...names].map((name) => name.toLowerCase());
}

export function createVersion(application: RuntimeApplication): FleetVersion {
  return { application, wish: undefined, counts: new Map(), told: new Map(), toldAtMs: 0 };
}

export function forgetWish(version: FleetVersion): void {
  version.wish = undefined;
  version.counts = new Map();
  version.told.clear();
}

/** A Runtime has none of the version's workers any more. */
export function takeFrom(version: FleetVersion, runtimeId: string): void {
  version.counts = new Map([...version.counts].filter(([one]) => one !== runtimeId));
  version.told.delete(runtimeId);
}
