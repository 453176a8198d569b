/**
 * Several Runtimes as one: what was told to it holds on every Runtime that hosts the app, and it decides which ones those are.
 *
 * Ownership: the composition root. The catalog says what is wanted, the scale controller how many workers; where they are is
 * decided here, from both and from what the Runtimes report, and kept by the controller (`KeptHomes`).
 *
 * I1 An app is hosted on one Runtime (its home) as long as that has room for its workers, and on as many as they need.
 * I2 A Runtime hosts an app only where region, tenant and isolation allow it, and never has more workers than it may.
 * I3 Requests go to Runtimes that serve the app; those that leave finish what they have.
 * I4 For each function that listens, one Runtime listens (see `ListenerLeases`); sources with partitions share themselves.
 * I5 What a Runtime that is gone has hosted is hosted elsewhere, with what it was told, as soon as there is a place.
 * I6 After a restart an app comes back to the Runtimes that it was on, when those are there within `returnMs`.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import { type ApplicationDefinition, jobHostKey } from '@switchyard/model';
import type {
  AddOptions,
  FunctionBacklog,
  JobHostStatus,
  RestartOutcome,
  RuntimeApplication,
  VersionLoad,
  WorkerWish,
} from '@switchyard/runtime';
import type { KeptHomes, ListenerLeases, RuntimePlace } from '@switchyard/scale-controller';
import { versionKey } from '../up/versions/deployed-version.ts';
import { fleetErrors } from './errors.ts';
import {
  createFleetApp,
  createVersion,
  type FleetApp,
  type FleetVersion,
  forgetWish,
  homesOf,
  makeHome,
  type PlaceDemands,
  servingOf,
  takeFrom,
} from './fleet-app.ts';
import { type FleetRuntimeOptions, fleetRuntimeDefaults, type RuntimeNeed } from './fleet-options.ts';
import { type FleetMember, FleetPlaces } from './fleet-places.ts';
import type { HostRuntime } from './host-runtime.ts';
import { wantListeners } from './listening-functions.ts';
import { mergeBacklogs, mergeLoads, mergeStatuses } from './merge-status.ts';
import { News } from './news.ts';
import { planReturn } from './plan-return.ts';
import { spreadVersion } from './spread-version.ts';
import { sleeps, tellPart } from './told-workers.ts';

export interface FleetRuntimeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: ListenerLeases;
  readonly demandsOf: (applicationId: string) => PlaceDemands;
  readonly homes: Pick<KeptHomes, 'of' | 'note'>;
  /** Why the app can be on the Runtime of this process alone; undefined when it can be anywhere. */
  readonly boundBy: (application: RuntimeApplication) => string | undefined;
  /** Called when an app has no place, or too few workers for want of one. */
  readonly onNeed: (need: RuntimeNeed) => void;
  /** True while another Runtime of a region could be started, or is on its way. */
  readonly mayCome: (region: string | undefined) => boolean;
}

const tickMs = 500;
const onTheWayMs = 500;

export class FleetRuntime implements HostRuntime {
  readonly #deps: FleetRuntimeDeps;
  readonly #options: FleetRuntimeOptions;
  readonly #members = new Map<string, FleetMember>();
  readonly #apps = new Map<string, FleetApp>();
  readonly #leaves = new Map<string, readonly (() => void)[]>();
  readonly #observers = new Set<(status: JobHostStatus) => void>();
  readonly #wakes = new Set<Parameters<HostRuntime['watchWakes']>[0]>();
  readonly #news: News;
  readonly #places: FleetPlaces;
  #placed: () => void = () => {};
  #timer: Timer | undefined;

  constructor(deps: FleetRuntimeDeps, options: FleetRuntimeOptions = fleetRuntimeDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#news = new News(deps.clock);
    this.#places = new FleetPlaces({ ...deps, members: this.#members, apps: this.#apps });
    this.#schedule();
  }

  // Members

  get members(): readonly FleetMember[] {
    return [...this.#members.values()];
  }

  /** From now on apps may be placed there. */
  add(member: FleetMember): void {
    this.#members.set(member.runtimeId, member);
    this.#leaves.set(member.runtimeId, [
      member.runtime.watch((status) => this.#heard(status)),
      member.runtime.watchWakes((definition) => {
        for (const observer of [...this.#wakes]) observer(definition);
      }),
    ]);
    this.#lookAtAll();
    this.#news.tell();
  }

  /** The Runtime is gone, with all that it had. `isDead` when its process is known to have ended. */
  lose(runtimeId: string, isDead: boolean): void {
    if (!this.#members.delete(runtimeId)) return;
    for (const leave of this.#leaves.get(runtimeId) ?? []) leave();
    this.#leaves.delete(runtimeId);
    const hit = [...this.#apps.values()].filter(({ stays }) => stays.delete(runtimeId));
    for (const app of hit) {
      for (const version of app.versions.values()) takeFrom(version, runtimeId);
      this.#lease(app);
    }
    if (isDead) this.#deps.leases.dead(runtimeId);
    for (const app of hit) this.#lookAt(app);
  }

  /** Nothing new goes there, and its apps move elsewhere. Resolves when none is left there that has another place. */
  async drainMember(runtimeId: string, deadlineMs: number): Promise<void> {
    const member = this.#members.get(runtimeId);
    if (member === undefined) return;
    member.state = 'draining';
    this.#lookAtAll();
    const untilMs = this.#deps.clock.monotonic() + deadlineMs;
    while (this.#mayMove(runtimeId) && this.#deps.clock.monotonic() < untilMs) {
      await new Promise<void>((resolve) => void this.#deps.clock.schedule(tickMs, resolve));
    }
  }

  /** True while an app is on its way from a Runtime, or could go elsewhere. */
  #mayMove(runtimeId: string): boolean {
    const theirs = [...this.#apps.values()].filter(({ stays }) => stays.has(runtimeId));
    return theirs.some((app) => app.stays.get(runtimeId)?.state === 'leaving' || this.#places.of(app).length > 0);
  }

  /** The apps that a Runtime hosts. */
  appsOn(runtimeId: string): readonly string[] {
    return this.#places.appsOn(runtimeId);
  }

  placeOf(member: FleetMember): RuntimePlace {
    return this.#places.placeOf(member);
  }

  /** The Runtimes that serve an app, its home first. */
  servingOf(applicationId: string): readonly FleetMember[] {
    const app = this.#apps.get(applicationId);
    return app === undefined ? [] : servingOf(app).flatMap((id) => this.#members.get(id) ?? []);
  }

  get apps(): readonly FleetApp[] {
    return [...this.#apps.values()];
  }

  app(applicationId: string): FleetApp | undefined {
    return this.#apps.get(applicationId);
  }

  /** Calls back when an app is served elsewhere than before, or is new, or gone. */
  onPlaces(observer: () => void): void {
    this.#placed = observer;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  // What a Runtime is told

  async addApplication(application: RuntimeApplication, options: AddOptions = {}): Promise<JobHostStatus> {
    const { applicationId } = application.definition;
    const app = this.#apps.get(applicationId) ?? this.#createApp(applicationId);
    this.#apps.set(applicationId, app);
    const key = versionKey(application.definition);
    const known = app.versions.get(key);
    app.versions.set(key, { ...createVersion(application), ...known, application });
    try {
      const home = await this.#homeFor(app, application);
      const others = homesOf(app).filter((id) => id !== home.runtimeId);
      for (const id of others) void this.#addThere(app, id, application);
      const status = await home.runtime.addApplication(application, options);
      this.#served(app, home.runtimeId);
      return status;
    } catch (thrown) {
      const isHosted = this.status().some(({ versions }) => versions.some((one) => versionKey(one.definition) === key));
      if (!isHosted) app.versions.delete(key);
      if (app.versions.size === 0) this.#forget(app);
      throw thrown;
    }
  }

  #createApp(applicationId: string): FleetApp {
    const { clock, homes } = this.#deps;
    return createFleetApp(applicationId, homes.of(applicationId), clock.monotonic() + this.#options.returnMs);
  }

  async setTraffic(...[applicationId, shares, options]: Parameters<HostRuntime['setTraffic']>): Promise<void> {
    const app = this.#apps.get(applicationId);
    const [home, ...others] = app === undefined ? [] : this.#runtimesOf(app);
    if (app === undefined || home === undefined) return;
    await home.runtime.setTraffic(applicationId, shares, options);
    app.traffic = { shares, options };
    await this.#onOthers(app, others, ({ runtime }) => runtime.setTraffic(applicationId, shares, options));
    this.#lookAt(app);
  }

  async promoteApplication(key: string): Promise<void> {
    for (const app of this.#apps.values()) {
      if (![...app.versions.values()].some(({ application }) => jobHostKey(application.definition) === key)) continue;
      await Promise.all(this.#runtimesOf(app).map(({ runtime }) => runtime.promoteApplication(key)));
    }
  }

  async removeVersion(definition: ApplicationDefinition, deadlineMs: number): Promise<void> {
    const app = this.#apps.get(definition.applicationId);
    if (app === undefined) return;
    const [home, ...others] = this.#runtimesOf(app);
    await home?.runtime.removeVersion(definition, deadlineMs);
    app.versions.delete(versionKey(definition));
    await this.#onOthers(app, others, ({ runtime }) => runtime.removeVersion(definition, deadlineMs));
    if (app.versions.size === 0) this.#forget(app);
    else this.#lease(app);
  }

  async removeApplication(key: string, deadlineMs: number): Promise<void> {
    for (const app of [...this.#apps.values()]) {
      const theirs = [...app.versions].filter(([, { application }]) => jobHostKey(application.definition) === key);
      if (theirs.length === 0) continue;
      const hosts = this.#runtimesOf(app);
      for (const [version] of theirs) app.versions.delete(version);
      await this.#onOthers(app, hosts, ({ runtime }) => runtime.removeApplication(key, deadlineMs));
      if (app.versions.size === 0) this.#forget(app);
    }
  }

  async restartWorker(...[workerId, wish]: Parameters<HostRuntime['restartWorker']>): Promise<RestartOutcome> {
    const home = this.members.find(({ runtime }) =>
      runtime.status().some(({ workers }) => workers.some((worker) => worker.workerId === workerId)),
    );
    if (home === undefined) return { kind: 'rejected', reason: `there is no worker '${workerId}'` };
    return await home.runtime.restartWorker(workerId, wish);
  }

  async updateEnvironment(
    ...[definition, variables]: Parameters<HostRuntime['updateEnvironment']>
  ): ReturnType<HostRuntime['updateEnvironment']> {
    const hosts = this.servingOf(definition.applicationId);
    const outcomes = await Promise.all(hosts.map(({ runtime }) => runtime.updateEnvironment(definition, variables)));
    return outcomes.find(({ kind }) => kind === 'unable') ?? { kind: 'updated' };
  }

  scaleTo(definition: ApplicationDefinition, wish: WorkerWish): void {
    const app = this.#apps.get(definition.applicationId);
    const version = app?.versions.get(versionKey(definition));
    if (app === undefined || version === undefined) return;
    version.wish = wish;
    version.told.clear();
    version.toldAtMs = this.#deps.clock.monotonic();
    this.#spread(app, version);
  }

  // What a Runtime shows

  load(applicationId?: string): readonly VersionLoad[] {
    return mergeLoads(this.members.flatMap(({ runtime }) => runtime.load(applicationId)));
  }

  async backlogs(applicationId: string, signal: AbortSignal): Promise<readonly FunctionBacklog[]> {
    const hosts = this.servingOf(applicationId);
    const answers = await Promise.allSettled(hosts.map(({ runtime }) => runtime.backlogs(applicationId, signal)));
    return mergeBacklogs(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])));
  }

  listeningApps(): readonly string[] {
    return [...new Set(this.members.flatMap(({ runtime }) => runtime.listeningApps()))];
  }

  status(applicationId?: string): readonly JobHostStatus[] {
    return mergeStatuses(this.members.flatMap(({ runtime }) => runtime.status(applicationId)));
  }

  watch(observer: (status: JobHostStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  watchWakes(observer: Parameters<HostRuntime['watchWakes']>[0]): () => void {
    this.#wakes.add(observer);
    return () => this.#wakes.delete(observer);
  }

  // Placement

  #schedule(): void {
    this.#timer = this.#deps.clock.schedule(tickMs, () => {
      this.#schedule();
      this.#lookAtAll();
    });
  }

  #lookAtAll(): void {
    this.#deps.leases.look();
    for (const app of this.#apps.values()) this.#lookAt(app);
  }

  /** Moves the app away from where it may not be, gives it a home, and spreads its workers. */
  #lookAt(app: FleetApp): void {
    if (app.versions.size === 0) return;
    const homes = homesOf(app);
    const fit = homes.filter((id) => this.#places.mayBe(app, id));
    if (fit.length === 0) this.#enterSomewhere(app);
    else
      for (const id of homes)
        if (!fit.includes(id) && servingOf(app).some((one) => fit.includes(one))) this.#leave(app, id);
    this.#return(app);
    for (const version of app.versions.values()) {
      if (sleeps(version, this.load(app.applicationId), this.#deps.clock.monotonic())) forgetWish(version);
      this.#spread(app, version);
    }
    this.#leaveIdle(app);
  }

  /** Back to where it was before a restart. */
  #return(app: FleetApp): void {
    if (app.remembered.length === 0 || homesOf(app).length === 0) return;
    const plan = planReturn(app, (id) => this.#places.mayBe(app, id), this.#deps.clock.monotonic());
    if (plan.kind === 'waits') return;
    if (plan.kind === 'enter') {
      const member = this.#members.get(plan.runtimeId);
      if (member !== undefined) this.#enter(app, member);
      return;
    }
    app.remembered = [];
    if (plan.kind === 'settle') {
      makeHome(app, plan.runtimeId);
      for (const runtimeId of plan.leave) this.#leave(app, runtimeId);
    }
    this.#lease(app);
  }

  #enterSomewhere(app: FleetApp): void {
    const place = this.#places.of(app)[0];
    if (place !== undefined) this.#enter(app, place);
    else this.#need(app, this.#places.whyNowhere(app));
  }

  #need({ applicationId }: FleetApp, reason: string): void {
    this.#deps.onNeed({ applicationId, region: this.#deps.demandsOf(applicationId).region, reason });
  }

  /** Waits until there is a Runtime for a new version. */
  async #homeFor(app: FleetApp, { definition }: RuntimeApplication): Promise<FleetMember> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonic() + this.#options.placeMs;
    for (;;) {
      const [home] = this.#runtimesOf(app).filter(({ runtimeId }) => this.#places.mayBe(app, runtimeId));
      const place = home ?? this.#places.of(app)[0];
      if (place !== undefined) {
        if (!app.stays.has(place.runtimeId))
          app.stays.set(place.runtimeId, { state: 'entering', idleSinceMs: undefined });
        return place;
      }
      const reason = this.#places.whyNowhere(app);
      this.#need(app, reason);
      if (clock.monotonic() >= untilMs || !this.#deps.mayCome(this.#deps.demandsOf(app.applicationId).region)) {
        throw fleetErrors.create('FLEET_NO_RUNTIME', { applicationId: definition.applicationId, reason });
      }
      await this.#news.next(tickMs);
    }
  }

  #spread(app: FleetApp, version: FleetVersion): void {
    if (version.wish === undefined) return;
    const known = { places: this.#places, load: (id?: string) => this.load(id) };
    const { counts, missing, isStrict } = spreadVersion(app, version, known);
    version.counts = counts;
    if (missing > 0 && !isStrict) this.#need(app, `${missing} of its workers have no room`);
    for (const member of this.#runtimesOf(app)) tellPart(app, member, version);
    for (const [runtimeId, count] of counts) {
      const member = this.#members.get(runtimeId);
      if (member !== undefined && count > 0 && !app.stays.has(runtimeId)) this.#enter(app, member);
    }
  }

  #enter(app: FleetApp, member: FleetMember): void {
    if (app.stays.get(member.runtimeId)?.state === 'entering') return;
    app.stays.set(member.runtimeId, { state: 'entering', idleSinceMs: undefined });
    const { applicationId } = app;
    this.#bring(app, member).then(
      () => this.#served(app, member.runtimeId),
      (thrown: unknown) => {
        if (this.#members.get(member.runtimeId) !== member) return;
        app.stays.delete(member.runtimeId);
        const fields = { applicationId, runtimeId: member.runtimeId, reason: messageOf(thrown) };
        this.#deps.log.write('error', 'An app could not be brought to a Runtime', fields);
      },
    );
  }

  async #bring(app: FleetApp, { runtime }: FleetMember): Promise<void> {
    const { applicationId } = app;
    for (const { application } of [...app.versions.values()])
      await runtime.addApplication(application, { standby: true });
    const { traffic } = app;
    if (traffic !== undefined) await runtime.setTraffic(applicationId, traffic.shares, traffic.options);
  }

  async #addThere(app: FleetApp, runtimeId: string, application: RuntimeApplication): Promise<void> {
    const member = this.#members.get(runtimeId);
    if (member === undefined) return;
    await this.#onOthers(app, [member], ({ runtime }) => runtime.addApplication(application, { standby: true }));
  }

  #served(app: FleetApp, runtimeId: string): void {
    const stay = app.stays.get(runtimeId);
    if (stay?.state === 'entering') stay.state = 'serving';
    this.#lease(app);
    this.#lookAt(app);
    this.#news.tell();
  }

  /** Away from a Runtime: listeners and requests first, then what runs may end. */
  #leave(app: FleetApp, runtimeId: string): void {
    const stay = app.stays.get(runtimeId);
    const member = this.#members.get(runtimeId);
    if (stay === undefined || member === undefined || stay.state === 'leaving') return;
    stay.state = 'leaving';
    for (const version of app.versions.values()) takeFrom(version, runtimeId);
    this.#lease(app);
    const keys = new Set([...app.versions.values()].map(({ application }) => jobHostKey(application.definition)));
    // Requests that were sent there are on their way still.
    this.#deps.clock.schedule(onTheWayMs, () => {
      const removing = [...keys].map((key) => member.runtime.removeApplication(key, this.#options.drainMs));
      void Promise.allSettled(removing).then(() => app.stays.delete(runtimeId));
    });
  }

  /** A Runtime that is not the home, and has no worker any more, is left after a while. */
  #leaveIdle(app: FleetApp): void {
    const nowMs = this.#deps.clock.monotonic();
    for (const runtimeId of homesOf(app).slice(1)) {
      const stay = app.stays.get(runtimeId);
      if (stay === undefined || stay.state !== 'serving') continue;
      const told = [...app.versions.values()].some(({ counts }) => (counts.get(runtimeId) ?? 0) > 0);
      const member = this.#members.get(runtimeId);
      const isBusy = member?.runtime.load(app.applicationId).some(({ quietMs }) => quietMs === 0) ?? false;
      if (told || isBusy) stay.idleSinceMs = undefined;
      else stay.idleSinceMs ??= nowMs;
      if (stay.idleSinceMs !== undefined && nowMs - stay.idleSinceMs >= this.#options.leaveMs)
        this.#leave(app, runtimeId);
    }
  }

  #lease(app: FleetApp): void {
    wantListeners(this.#deps.leases, app, this.#runtimesOf(app));
    const homes = homesOf(app);
    if (app.remembered.length === 0 && homes.length > 0) this.#deps.homes.note(app.applicationId, homes);
    this.#placed();
  }

  #heard(status: JobHostStatus): void {
    const app = this.#apps.get(status.applicationId);
    if (app !== undefined) this.#lease(app);
    for (const observer of [...this.#observers]) observer(status);
  }

  #runtimesOf(app: FleetApp): readonly FleetMember[] {
    return homesOf(app).flatMap((id) => this.#members.get(id) ?? []);
  }

  /** What fails on a Runtime that is not the home is told, and the Runtime is left: it would serve something else. */
  async #onOthers(
    app: FleetApp,
    members: readonly FleetMember[],
    act: (member: FleetMember) => Promise<unknown>,
  ): Promise<void> {
    const { applicationId } = app;
    await Promise.all(
      members.map((member) =>
        act(member).catch((thrown: unknown) => {
          const fields = { applicationId, runtimeId: member.runtimeId, reason: messageOf(thrown) };
          this.#deps.log.write('warning', 'A Runtime did not do what the others did', fields);
          if (homesOf(app)[0] !== member.runtimeId) this.#leave(app, member.runtimeId);
        }),
      ),
    );
  }

  #forget(app: FleetApp): void {
    if (this.#apps.get(app.applicationId) === app) this.#apps.delete(app.applicationId);
    this.#deps.leases.want(app.applicationId, [], []);
    this.#placed();
  }
}
