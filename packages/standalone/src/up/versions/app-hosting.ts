/**
 * Brings the Runtime to what the catalog wants, app by app, and tries new versions out.
 *
 * Ownership: the composition root owns it; the Runtime owns what is hosted. Nobody else adds or removes versions.
 *
 * I1 For each app one look runs at a time; a look that is asked for meanwhile follows, and sees the latest state.
 * I2 A look that fails is repeated with growing waits until it succeeds or the app is looked at anew.
 * I3 A version on trial gets no traffic and is not taken out before its trial has ended.
 * I4 While the app works, a version whose worker does not start takes no traffic from the one before.
 * I5 After `close` nothing is looked at, and no timer is left.
 * I6 Settings that the workers of a version take as they run make no other version of it; what starts from then on has them too.
 */
import { backoffMs, type Clock, type Log, messageOf, type Random, type Timer } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type {
  EnvironmentOutcome,
  JobHostStatus,
  Runtime,
  RuntimeApplication,
  VersionStatus,
} from '@switchyard/runtime';
import { type DeployedVersion, versionKey } from './deployed-version.ts';
import { type Action, type DesiredVersion, type ObservedVersion, planVersions } from './plan.ts';
import { isTakenAsItRuns } from './settings-change.ts';

export interface WantedVersion {
  readonly version: DeployedVersion;
  /** Percent; 0 keeps it hosted without traffic. */
  readonly weight: number;
}

export interface AppHostingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runtime: Pick<Runtime, 'addApplication' | 'setTraffic' | 'removeVersion' | 'removeApplication' | 'status'>;
  /** What the catalog wants of an app now; nothing of one that it does not know. */
  readonly wantedOf: (applicationId: string) => Promise<readonly WantedVersion[]>;
  readonly toRuntimeApplication: (version: DeployedVersion) => RuntimeApplication;
  /** Brings the settings of a version to its workers as they run; left out, each change of settings makes a version. */
  readonly updateSettings?: (version: DeployedVersion) => Promise<EnvironmentOutcome>;
}

/** How waits grow between looks that fail. */
const retryBackoff = { minimumMs: 500, maximumMs: 60_000, factor: 2, jitter: 0.2 };

/** For functions that may run for ever. */
const longestRunMs = 30 * 60_000;

/** After its functions' time a version gets so much more, so that their timeouts come first. */
const drainMarginMs = 60_000;

interface AppEntry {
  look: Promise<void> | undefined;
  isStale: boolean;
  failures: number;
  retry: Timer | undefined;
  error: string | undefined;
}

export class AppHosting {
  readonly #deps: AppHostingDeps;
  readonly #entries = new Map<string, AppEntry>();
  /** Every version that was handed to the Runtime and has not been taken out, by its key. */
  readonly #versions = new Map<string, DeployedVersion>();
  readonly #latest = new Map<string, DeployedVersion>();
  /** Under which key a version is hosted that took the settings of another one as it ran. */
  readonly #aliases = new Map<string, string>();
  readonly #trials = new Set<string>();
  readonly #ending = new Set<string>();
  #isClosed = false;

  constructor(deps: AppHostingDeps) {
    this.#deps = deps;
  }

  /** A version that the Runtime has, or is about to have. */
  find(definition: ApplicationDefinition): DeployedVersion | undefined {
    return this.#versions.get(versionKey(definition));
  }

  /** The version of an app that was handed to the Runtime last. */
  latestOf(applicationId: string): DeployedVersion | undefined {
    return this.#latest.get(applicationId);
  }

  /** The version of an app that has most of its traffic; undefined when none is hosted. */
  servingOf(applicationId: string): DeployedVersion | undefined {
    const serving = this.#statusOf(applicationId).filter(({ weight }) => weight > 0);
    const [most] = [...serving].sort((left, right) => right.weight - left.weight);
    return most && this.#versions.get(versionKey(most.definition));
  }

  /** Why the app is not yet what the catalog wants. */
  errorOf(applicationId: string): string | undefined {
    return this.#entries.get(applicationId)?.error;
  }

  /** Looks at the app, soon. Resolves when that look, or the one after it, is done; never rejects. */
  look(applicationId: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const entry = this.#entryOf(applicationId);
    entry.retry?.cancel();
    entry.retry = undefined;
    entry.isStale = true;
    entry.look ??= this.#lookUntilFresh(applicationId, entry);
    return entry.look;
  }

  /**
   * Hosts a version without traffic and starts a worker for it. Resolves when that is ready; rejects with what keeps the
   * version from serving. `endTrial` must follow in either case.
   */
  async tryOut(version: DeployedVersion): Promise<JobHostStatus> {
    this.#trials.add(versionKey(version.definition));
    return await this.#add(version, true);
  }

  /** From now on the catalog alone says what becomes of the version. */
  async endTrial({ definition }: DeployedVersion): Promise<void> {
    this.#trials.delete(versionKey(definition));
    await this.look(definition.applicationId);
  }

  close(): void {
    this.#isClosed = true;
    for (const { retry } of this.#entries.values()) retry?.cancel();
    this.#entries.clear();
  }

  #entryOf(applicationId: string): AppEntry {
    const known = this.#entries.get(applicationId);
    if (known !== undefined) return known;
    const entry: AppEntry = { look: undefined, isStale: false, failures: 0, retry: undefined, error: undefined };
    this.#entries.set(applicationId, entry);
    return entry;
  }

  async #lookUntilFresh(applicationId: string, entry: AppEntry): Promise<void> {
    while (entry.isStale && !this.#isClosed) {
      entry.isStale = false;
      try {
        await this.#lookOnce(applicationId, entry);
        entry.failures = 0;
        entry.error = undefined;
      } catch (thrown) {
        this.#failed(applicationId, entry, messageOf(thrown));
      }
    }
    entry.look = undefined;
  }

  #failed(applicationId: string, entry: AppEntry, reason: string): void {
    const { random, log } = this.#deps;
    entry.error = reason;
    const retryInMs = backoffMs(retryBackoff, entry.failures, random);
    entry.failures += 1;
    if (this.#isClosed) return;
    log.write('error', 'An app is not yet what it should be', { applicationId, reason, retryInMs });
    entry.retry?.cancel();
    entry.retry = undefined;
    this.#lookLater(applicationId, entry, retryInMs);
  }

  #lookLater(applicationId: string, entry: AppEntry, waitMs: number): void {
    if (this.#isClosed) return;
    entry.retry ??= this.#deps.clock.schedule(waitMs, () => void this.look(applicationId));
  }

  async #lookOnce(applicationId: string, entry: AppEntry): Promise<void> {
    const wanted: WantedVersion[] = [];
    for (const one of await this.#deps.wantedOf(applicationId)) wanted.push(await this.#settle(one));
    const versions = new Map(wanted.map(({ version }) => [versionKey(version.definition), version]));
    const desired = wanted.map(
      ({ version, weight }): DesiredVersion => ({ key: versionKey(version.definition), weight }),
    );
    for (const action of planVersions(desired, this.#observed(applicationId))) {
      // What was read is no longer so: the look that follows knows better.
      if (this.#isClosed || entry.isStale) return;
      await this.#execute(applicationId, action, versions);
    }
  }

  /** The version under the name that it is hosted by, with the settings that are wanted, where its workers take them. */
  async #settle(wanted: WantedVersion): Promise<WantedVersion> {
    const { updateSettings, log } = this.#deps;
    const { definition } = wanted.version;
    const { applicationId } = definition;
    const key = versionKey(definition);
    const hosted = this.#observed(applicationId).filter(({ isEnding }) => !isEnding);
    const isHosted = (other: string): boolean => hosted.some((one) => one.key === other);
    const alias = this.#aliases.get(key);
    const known = alias === undefined || !isHosted(alias) ? undefined : this.#versions.get(alias);
    if (known !== undefined) return { ...wanted, version: known };
    const before = hosted
      .filter(({ isOnTrial }) => !isOnTrial)
      .flatMap((one) => this.#versions.get(one.key) ?? [])
      .find((version) => isTakenAsItRuns(version, wanted.version));
    if (updateSettings === undefined || isHosted(key) || before === undefined) return wanted;
    const under = versionKey(before.definition);
    const version = { ...wanted.version, definition: before.definition };
    // Before anybody is told: what starts meanwhile has the new settings by itself.
    this.#versions.set(under, version);
    const outcome = await updateSettings(version);
    if (outcome.kind === 'unable') {
      this.#versions.set(under, before);
      log.write('debug', 'A change of settings makes another version', { applicationId, reason: outcome.reason });
      return wanted;
    }
    for (const [other, at] of this.#aliases) if (at === under) this.#aliases.delete(other);
    this.#aliases.set(key, under);
    if (this.#latest.get(applicationId) === before) this.#latest.set(applicationId, version);
    return { ...wanted, version };
  }

  #observed(applicationId: string): ObservedVersion[] {
    return this.#statusOf(applicationId).map(({ definition, weight, state }) => {
      const key = versionKey(definition);
      return { key, weight, isOnTrial: this.#trials.has(key), isEnding: state === 'draining' || this.#ending.has(key) };
    });
  }

  #statusOf(applicationId: string): readonly VersionStatus[] {
    return this.#deps.runtime.status(applicationId).flatMap(({ versions }) => versions);
  }

  async #execute(applicationId: string, action: Action, versions: ReadonlyMap<string, DeployedVersion>): Promise<void> {
    switch (action.kind) {
      case 'add': {
        const version = versions.get(action.key);
        if (version !== undefined) await this.#addOrTakeBack(version);
        return;
      }
      case 'set-traffic': {
        const shares = action.shares.flatMap(({ key, weight }) => {
          const definition = versions.get(key)?.definition;
          return definition === undefined ? [] : [{ ...definition, weight }];
        });
        await this.#deps.runtime.setTraffic(applicationId, shares);
        return;
      }
      case 'remove':
        this.#remove(applicationId, action.key);
        return;
      case 'remove-all':
        await this.#removeAll(applicationId);
    }
  }

  /** While the app is at work a new version must come up before it gets anything; a sleeping app just goes on sleeping. */
  async #addOrTakeBack(version: DeployedVersion): Promise<void> {
    const { applicationId } = version.definition;
    const isAtWork = this.#statusOf(applicationId).some(({ state, weight }) => state === 'active' && weight > 0);
    try {
      await this.#add(version, isAtWork);
    } catch (thrown) {
      this.#remove(applicationId, versionKey(version.definition));
      throw thrown;
    }
  }

  #add(version: DeployedVersion, start: boolean): Promise<JobHostStatus> {
    this.#versions.set(versionKey(version.definition), version);
    this.#latest.set(version.definition.applicationId, version);
    return this.#deps.runtime.addApplication(this.#deps.toRuntimeApplication(version), { standby: true, start });
  }

  /** The version finishes what it has begun; nobody waits for that. */
  #remove(applicationId: string, key: string): void {
    const status = this.#statusOf(applicationId).find(({ definition }) => versionKey(definition) === key);
    const deadlineMs = this.#drainMs(key);
    if (status === undefined) {
      this.#forget(key);
      return;
    }
    this.#ending.add(key);
    this.#deps.runtime.removeVersion(status.definition, deadlineMs).then(
      () => {
        this.#ending.delete(key);
        this.#forget(key);
        // Somebody may have wanted it again meanwhile.
        this.#lookLater(applicationId, this.#entryOf(applicationId), retryBackoff.minimumMs);
      },
      (thrown: unknown) => {
        this.#ending.delete(key);
        this.#failed(applicationId, this.#entryOf(applicationId), messageOf(thrown));
      },
    );
  }

  /** An app that is deleted has no time left but for what runs. */
  async #removeAll(applicationId: string): Promise<void> {
    const { runtime } = this.#deps;
    const hosts = runtime.status(applicationId);
    const keys = hosts.flatMap(({ versions }) => versions.map(({ definition }) => versionKey(definition)));
    const deadlineMs = Math.max(0, ...keys.map((key) => this.#drainMs(key)));
    await Promise.all(hosts.map(({ key }) => runtime.removeApplication(key, deadlineMs)));
    for (const key of keys) this.#forget(key);
    this.#latest.delete(applicationId);
  }

  #forget(key: string): void {
    this.#versions.delete(key);
    for (const [other, at] of this.#aliases) if (at === key) this.#aliases.delete(other);
  }

  #drainMs(key: string): number {
    const { functionTimeoutMs } = this.#versions.get(key)?.host ?? {};
    return Math.min(functionTimeoutMs ?? longestRunMs, longestRunMs) + drainMarginMs;
  }
}
