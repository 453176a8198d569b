/**
 * Services in Azure Container Apps: a version is an image and has a revision; the ingress shares the traffic among revisions.
 *
 * I1 Revisions have names that follow from what they are: making one again changes nothing.
 * I2 Traffic moves only to a revision that is healthy; what has none any more stands by as the way back until the next version.
 * I3 A value of a setting is a secret of the app; a new revision takes it up, and it is read back only when that has the traffic.
 * I4 An app of another tenant, or of nobody we know, is not touched.
 */
import type { ContainerApp, ContainerAppsAPIClient, Revision } from '@azure/arm-appcontainers';
import { type Clock, Secret, sleep } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type {
  ComputeTarget,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOrder,
  SettingsOutcome,
  SettingValues,
  VersionHealth,
} from '../../contract.ts';
import { computeErrors } from '../../errors.ts';
import { areSameShares, heaviestOf, servingOf } from '../../observed-shares.ts';
import { PendingServices } from '../../pending-services.ts';
import { askAzure } from '../sdk/azure-access.ts';
import {
  type AppShape,
  appNameOf,
  appTags,
  healthOf,
  ownerOf,
  revisionNameOf,
  secretNameOf,
  shapeOf,
  sharesOf,
  toTemplate,
  versionOf,
} from './app-shape.ts';

export interface ContainerAppsOptions {
  readonly resourceGroup: string;
  readonly location: string;
  /** The resource id of the managed environment in which apps are made. */
  readonly environmentId: string;
  /** Tells the apps of this installation from all others. */
  readonly installation: string;
  readonly containerPort: number;
  /** A private registry, and the resource id of the user-assigned identity that may read it. */
  readonly registry?: { readonly server: string; readonly identity: string };
  readonly pollMs?: number;
  readonly settleMs?: number;
}

export interface ContainerAppsDeps {
  readonly clock: Clock;
  readonly client: Pick<ContainerAppsAPIClient, 'containerApps' | 'containerAppsRevisions'>;
}

export const containerAppsTargetName = 'container-apps';

const defaultPollMs = 2_000;
const defaultSettleMs = 300_000;

export function createContainerAppsTarget(deps: ContainerAppsDeps, options: ContainerAppsOptions): ComputeTarget {
  return new ContainerAppsTarget(deps, options);
}

class ContainerAppsTarget implements ComputeTarget {
  readonly name = containerAppsTargetName;
  readonly settingsFirst = true;
  readonly #deps: ContainerAppsDeps;
  readonly #options: ContainerAppsOptions;
  readonly #pending = new PendingServices();

  constructor(deps: ContainerAppsDeps, options: ContainerAppsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async list(): Promise<ServicePage> {
    const { resourceGroup, installation } = this.#options;
    const apps = await this.#ask('list apps', async () => {
      const found: ContainerApp[] = [];
      for await (const app of this.#deps.client.containerApps.listByResourceGroup(resourceGroup)) found.push(app);
      return found;
    });
    const own = (apps ?? []).filter(({ tags }) => tags?.[appTags.installation] === installation);
    const items: ObservedService[] = [];
    for (const app of own) {
      const owner = ownerOf(app);
      if (owner !== undefined) items.push(this.#observe(owner, app, await this.#revisionsOf(owner.serviceId)));
    }
    return { items };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const app = await this.#find(serviceId);
    const owner = app === undefined ? undefined : ownerOf(app);
    if (app === undefined || owner?.serviceId !== serviceId) return undefined;
    return this.#observe(owner, app, await this.#revisionsOf(serviceId));
  }

  async provision(of: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    signal.throwIfAborted();
    const app = (await this.#own(of)) ?? (await this.#create(of, version));
    const revisions = await this.#revisionsOf(of.serviceId);
    const serving = new Set(sharesOf(app, revisions).map((share) => share.version));
    for (const revision of revisions) {
      const isIdle = revision.active === true && !serving.has(versionOf(revision)) && versionOf(revision) !== version;
      if (isIdle) await this.#deactivate(of.serviceId, revision.name ?? '');
    }
    return this.#ensure({ of, version, shape: shapeOf(app) }, signal);
  }

  async setTraffic(of: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    const app = await this.#requireApp(of);
    await this.#route(of, app, { shares: servingOf(shares), shape: shapeOf(app) });
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const app = await this.#find(serviceId);
    const revisions = app === undefined ? [] : await this.#revisionsOf(serviceId);
    const own = revisions.filter((revision) => revision.active === true && versionOf(revision) === version);
    const states = own.map(healthOf);
    if (states.length === 0) return 'unknown';
    return states.includes('healthy') ? 'healthy' : states.includes('unhealthy') ? 'unhealthy' : 'unknown';
  }

  async retire(of: ServiceOfTarget, version: string): Promise<void> {
    if ((await this.#own(of)) === undefined) return;
    const active = (await this.#revisionsOf(of.serviceId)).filter((revision) => revision.active === true);
    const left = active.filter((revision) => versionOf(revision) !== version);
    if (left.length === 0) {
      await this.#ask('delete an app', () => this.#apps.beginDeleteAndWait(...this.#at(of.serviceId), this.#polling));
      return;
    }
    for (const revision of active) {
      if (versionOf(revision) === version) await this.#deactivate(of.serviceId, revision.name ?? '');
    }
  }

  async setLimits(of: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    const app = await this.#own(of);
    if (app === undefined) return this.#pending.setLimits(of, limits);
    await this.#reshape(of, app, { ...shapeOf(app), limits });
  }

  async applySettings(
    of: ServiceOfTarget,
    settings: SettingValues,
    { remove = [] }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    const app = await this.#own(of);
    if (app === undefined) {
      this.#pending.addSettings(of, settings);
      return 'restarted';
    }
    const secrets = await this.#secretsOf(of.serviceId);
    const shape = shapeOf(app);
    const isSo = [...settings].every(
      ([name, value]) => secrets.get(secretNameOf(name)) === value.reveal() && shape.settings.includes(name),
    );
    if (isSo && !remove.some((name) => shape.settings.includes(name))) return 'restarted';
    for (const [name, value] of settings) secrets.set(secretNameOf(name), value.reveal());
    for (const name of remove) secrets.delete(secretNameOf(name));
    const names = [...new Set([...shape.settings, ...settings.keys()])].filter((name) => !remove.includes(name));
    const after = { ...shape, settings: names, generation: shape.generation + 1 };
    const configuration = { secrets: [...secrets].map(([name, value]) => ({ name, value })) };
    await this.#reshape(of, app, after, configuration);
    return 'restarted';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const app = await this.#find(serviceId);
    if (app === undefined) return pick(this.#pending.settingsOf(serviceId), names);
    const shape = shapeOf(app);
    const revisions = await this.#revisionsOf(serviceId);
    const traffic = app.configuration?.ingress?.traffic ?? [];
    const isStale = sharesOf(app, revisions).some(({ version }) => {
      const revisionName = revisionNameOf(serviceId, version, shape);
      return !traffic.some((one) => one.revisionName === revisionName && (one.weight ?? 0) > 0);
    });
    if (isStale) return new Map();
    const secrets = await this.#secretsOf(serviceId);
    const values = shape.settings.flatMap((name) => {
      const value = secrets.get(secretNameOf(name));
      return value === undefined ? [] : [[name, new Secret(value)] as const];
    });
    return pick(new Map(values), names);
  }

  async restart(of: ServiceOfTarget): Promise<void> {
    const app = await this.#requireApp(of);
    for (const { revisionName, weight = 0 } of app.configuration?.ingress?.traffic ?? []) {
      if (revisionName === undefined || weight === 0) continue;
      const at = this.#at(of.serviceId);
      await this.#ask('restart a revision', () =>
        this.#deps.client.containerAppsRevisions.restartRevision(...at, revisionName),
      );
    }
  }

  /** Makes the app with its first revision; without an ingress nobody reaches it. */
  async #create(of: ServiceOfTarget, version: string): Promise<ContainerApp> {
    const { location, environmentId, installation, containerPort, registry } = this.#options;
    const { settings, limits } = this.#pending.get(of);
    const shape = { limits: limits ?? {}, settings: [...settings.keys()], generation: 1 };
    const body: ContainerApp = {
      ...{ location, environmentId, template: toTemplate(version, shape, containerPort) },
      tags: {
        [appTags.installation]: installation,
        [appTags.service]: of.serviceId,
        [appTags.tenant]: of.tenantId,
        [appTags.generation]: String(shape.generation),
      },
      configuration: {
        activeRevisionsMode: 'Multiple',
        secrets: [...settings].map(([name, value]) => ({ name: secretNameOf(name), value: value.reveal() })),
        ...(registry === undefined ? {} : { registries: [registry] }),
      },
      ...(registry === undefined
        ? {}
        : { identity: { type: 'UserAssigned', userAssignedIdentities: { [registry.identity]: {} } } }),
    };
    const made = await this.#ask('make an app', () =>
      this.#apps.beginCreateOrUpdateAndWait(...this.#at(of.serviceId), body, this.#polling),
    );
    this.#pending.forget(of);
    return made ?? this.#requireApp(of);
  }

  /** New revisions of all versions with traffic, and the traffic to them. */
  async #reshape(
    of: ServiceOfTarget,
    app: ContainerApp,
    shape: AppShape,
    configuration?: ContainerApp['configuration'],
  ): Promise<void> {
    const revisions = await this.#revisionsOf(of.serviceId);
    const shares = sharesOf(app, revisions);
    const version = heaviestOf(shares) || versionOf(app);
    const name = revisionNameOf(of.serviceId, version, shape);
    const isThere = revisions.some((revision) => revision.name === name);
    if (!isThere || configuration !== undefined) await this.#patch(of, { version, shape, configuration });
    await this.#route(of, app, { shares, shape });
  }

  /** Brings every version up in this shape, and then the traffic there. Revisions of an earlier shape go. */
  async #route(
    of: ServiceOfTarget,
    app: ContainerApp,
    { shares, shape }: { readonly shares: readonly TrafficShare[]; readonly shape: AppShape },
  ): Promise<void> {
    for (const { version } of shares) {
      const outcome = await this.#ensure({ of, version, shape });
      if (outcome.kind === 'ready') continue;
      const details = {
        computeTarget: this.name,
        serviceId: of.serviceId,
        limitMs: this.#settleMs,
        reason: outcome.reason,
      };
      throw computeErrors.create('TARGET_NOT_SETTLED', details);
    }
    const toName = (version: string): string => revisionNameOf(of.serviceId, version, shape);
    const before = (app.configuration?.ingress?.traffic ?? []).map(({ revisionName = '', weight = 0 }) => ({
      ...{ version: revisionName, weight },
    }));
    const wanted = shares.map(({ version, weight }) => ({ version: toName(version), weight }));
    if (shares.length > 0 && !areSameShares(before, wanted)) {
      const traffic = wanted.map(({ version, weight }) => ({ revisionName: version, weight }));
      const ingress = { external: true, targetPort: this.#options.containerPort, transport: 'auto', traffic };
      await this.#ask('share the traffic', () =>
        this.#apps.beginUpdateAndWait(
          ...this.#at(of.serviceId),
          toPatch({ configuration: { ingress } }, app),
          this.#polling,
        ),
      );
    }
    const names = new Set(shares.map(({ version }) => version));
    for (const revision of await this.#revisionsOf(of.serviceId)) {
      const isOld = names.has(versionOf(revision)) && revision.name !== toName(versionOf(revision));
      if (isOld && revision.active === true) await this.#deactivate(of.serviceId, revision.name ?? '');
    }
  }

  /** The revision of a version in this shape, made or woken where it is not there. */
  async #ensure(
    { of, version, shape }: { readonly of: ServiceOfTarget; readonly version: string; readonly shape: AppShape },
    signal?: AbortSignal,
  ): Promise<ProvisionOutcome> {
    const { clock } = this.#deps;
    const name = revisionNameOf(of.serviceId, version, shape);
    const found = await this.#revision(of.serviceId, name);
    if (found === undefined) await this.#patch(of, { version, shape });
    else if (found.active !== true) {
      const at = this.#at(of.serviceId);
      await this.#ask('activate a revision', () =>
        this.#deps.client.containerAppsRevisions.activateRevision(...at, name),
      );
    }
    const endMs = clock.monotonic() + this.#settleMs;
    for (;;) {
      const revision = await this.#revision(of.serviceId, name);
      const health = revision === undefined ? 'unknown' : healthOf(revision);
      if (health === 'healthy') return { kind: 'ready' };
      if (health === 'unhealthy') {
        return { kind: 'failed', reason: revision?.provisioningError || `the revision ${name} is not healthy` };
      }
      if (clock.monotonic() >= endMs) return { kind: 'failed', reason: `it was not ready within ${this.#settleMs} ms` };
      await sleep(clock, this.#pollMs, signal);
    }
  }

  async #patch(
    of: ServiceOfTarget,
    change: {
      readonly version: string;
      readonly shape: AppShape;
      readonly configuration?: ContainerApp['configuration'] | undefined;
    },
  ): Promise<void> {
    const { version, shape, configuration } = change;
    const app = await this.#requireApp(of);
    const template = toTemplate(version, shape, this.#options.containerPort);
    const tags = { ...app.tags, [appTags.generation]: String(shape.generation) };
    const body = toPatch({ template, tags, ...(configuration === undefined ? {} : { configuration }) }, app);
    await this.#ask('make a revision', () =>
      this.#apps.beginUpdateAndWait(...this.#at(of.serviceId), body, this.#polling),
    );
  }

  async #deactivate(serviceId: string, name: string): Promise<void> {
    const at = this.#at(serviceId);
    await this.#ask('deactivate a revision', () =>
      this.#deps.client.containerAppsRevisions.deactivateRevision(...at, name),
    );
  }

  async #secretsOf(serviceId: string): Promise<Map<string, string>> {
    const found = await this.#ask('read settings', () => this.#apps.listSecrets(...this.#at(serviceId)));
    return new Map((found?.value ?? []).flatMap(({ name, value }) => (name && value ? [[name, value] as const] : [])));
  }

  async #revisionsOf(serviceId: string): Promise<readonly Revision[]> {
    const at = this.#at(serviceId);
    const found = await this.#ask('list revisions', async () => {
      const revisions: Revision[] = [];
      for await (const one of this.#deps.client.containerAppsRevisions.listRevisions(...at)) revisions.push(one);
      return revisions;
    });
    return found ?? [];
  }

  #revision(serviceId: string, name: string): Promise<Revision | undefined> {
    const at = this.#at(serviceId);
    return this.#ask('look at a revision', () => this.#deps.client.containerAppsRevisions.getRevision(...at, name));
  }

  #find(serviceId: string): Promise<ContainerApp | undefined> {
    return this.#ask('look at an app', () => this.#apps.get(...this.#at(serviceId)));
  }

  async #own({ serviceId, tenantId }: ServiceOfTarget): Promise<ContainerApp | undefined> {
    const app = await this.#find(serviceId);
    if (app === undefined) return undefined;
    const owner = ownerOf(app);
    if (owner?.serviceId === serviceId && owner.tenantId === tenantId) return app;
    throw computeErrors.create('SERVICE_FOREIGN', { serviceId, tenantId, computeTarget: this.name });
  }

  async #requireApp(of: ServiceOfTarget): Promise<ContainerApp> {
    const app = await this.#own(of);
    if (app !== undefined) return app;
    const details = {
      computeTarget: this.name,
      what: 'change an app',
      status: 404,
      reason: `there is no ${of.serviceId}`,
    };
    throw computeErrors.create('TARGET_REFUSED', details);
  }

  #observe(
    { serviceId, tenantId }: ServiceOfTarget,
    app: ContainerApp,
    revisions: readonly Revision[],
  ): ObservedService {
    const weights = sharesOf(app, revisions);
    const traffic = (app.configuration?.ingress?.traffic ?? []).filter(({ weight = 0 }) => weight > 0);
    const serving = revisions.filter(({ name }) => traffic.some(({ revisionName }) => revisionName === name));
    const states = serving.map(healthOf);
    const { fqdn } = app.configuration?.ingress ?? {};
    return {
      ...{ serviceId, tenantId, componentType: 'container-app', version: heaviestOf(weights), weights: [...weights] },
      ...{ replicas: serving.reduce((sum, { replicas = 0 }) => sum + replicas, 0), limits: shapeOf(app).limits },
      status: statusOf(states),
      ...(fqdn === undefined ? {} : { endpointUrl: `https://${fqdn}` }),
    };
  }

  #ask<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    return askAzure({ computeTarget: this.name, what }, ask);
  }

  #at(serviceId: string): readonly [string, string] {
    return [this.#options.resourceGroup, appNameOf(serviceId)];
  }

  get #apps(): ContainerAppsAPIClient['containerApps'] {
    return this.#deps.client.containerApps;
  }

  get #polling() {
    return { updateIntervalInMs: this.#pollMs };
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? defaultPollMs;
  }

  get #settleMs(): number {
    return this.#options.settleMs ?? defaultSettleMs;
  }
}

/** A change of an app; its place is part of every body. */
function toPatch(change: Omit<ContainerApp, 'location'>, { location }: ContainerApp): ContainerApp {
  return { location, ...change };
}

function statusOf(states: readonly VersionHealth[]): ObservedService['status'] {
  if (states.length === 0) return 'stopped';
  if (states.every((state) => state === 'healthy')) return 'running';
  if (states.every((state) => state === 'unhealthy')) return 'failed';
  return states.includes('unhealthy') ? 'degraded' : 'unknown';
}

function pick(settings: SettingValues, names: readonly string[]): SettingValues {
  return new Map([...settings].filter(([name]) => names.includes(name)));
}
