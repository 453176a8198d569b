/**
 * Services in Azure App Service and Azure Functions: a version is an image or the address of a package; it comes up in a slot
 * beside production and changes places with it.
 *
 * I1 A version gets traffic only once it answers in its slot.
 * I2 The version before stays in the slot, as the way back, until the next one takes its place.
 * I3 Settings are in both places, so that a swap changes none.
 * I4 A site of another tenant, or of nobody we know, is not touched.
 */
import type { Site } from '@azure/arm-appservice';
import { type Clock, Secret, sleep } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
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
import { nextSlot, type Place, type SiteClient } from './site-client.ts';
import {
  imageSettingOf,
  limitsOf,
  ownerOf,
  placeSettingsOf,
  rerouted,
  type SiteKind,
  serviceSettingsOf,
  sharesOf,
  siteNameOf,
  siteTags,
  toLimits,
  toReroute,
  versionOf,
} from './site-shape.ts';

export interface SiteTargetOptions {
  readonly name: string;
  readonly kind: SiteKind;
  readonly location: string;
  /** The resource id of the App Service plan. */
  readonly planId: string;
  readonly installation: string;
  readonly namePrefix: string;
  readonly containerPort: number;
  /** Asked of a place to tell whether it answers. */
  readonly healthPath: string;
  /** The resource id of a user-assigned identity of the sites. */
  readonly identity?: string;
  readonly pollMs?: number;
  readonly settleMs?: number;
}

export interface SiteTargetDeps {
  readonly clock: Clock;
  readonly client: SiteClient;
  /** Asks sites whether they answer; with a deadline of its own. */
  readonly probe: HttpExchange;
}

const defaultPollMs = 2_000;
const defaultSettleMs = 300_000;

export function createSiteTarget(deps: SiteTargetDeps, options: SiteTargetOptions): ComputeTarget {
  return new SiteTarget(deps, options);
}

/** What was seen of a place. */
interface SeenPlace {
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly hostName: string;
  readonly isRunning: boolean;
}

/** A service as it was seen. */
interface SeenSite {
  readonly name: string;
  readonly production: SeenPlace;
  readonly next: SeenPlace | undefined;
  /** Percent of the requests that go to the slot. */
  readonly percent: number;
  readonly limits: Partial<ServiceLimits>;
}

class SiteTarget implements ComputeTarget {
  readonly name: string;
  readonly settingsFirst = true;
  readonly #deps: SiteTargetDeps;
  readonly #options: SiteTargetOptions;
  readonly #pending = new PendingServices();

  constructor(deps: SiteTargetDeps, options: SiteTargetOptions) {
    this.name = options.name;
    this.#deps = deps;
    this.#options = options;
  }

  async list(): Promise<ServicePage> {
    const sites = await this.#deps.client.list();
    const items: ObservedService[] = [];
    for (const site of sites) {
      const owner = ownerOf(site);
      if (owner === undefined || site.tags?.[siteTags.installation] !== this.#options.installation) continue;
      const seen = await this.#see(owner.serviceId, site);
      items.push(await this.#observe(owner, seen));
    }
    return { items };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const site = await this.#deps.client.get(this.#nameOf(serviceId), 'production');
    const owner = site === undefined ? undefined : ownerOf(site);
    if (site === undefined || owner?.serviceId !== serviceId) return undefined;
    return this.#observe(owner, await this.#see(serviceId, site));
  }

  async provision(of: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    signal.throwIfAborted();
    const seen = (await this.#own(of)) ?? (await this.#create(of));
    const place = placeOf(seen, version);
    if (place === undefined) await this.#fill(seen, version);
    return this.#answers(seen.name, place ?? nextSlot, signal);
  }

  async setTraffic(of: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    const { client } = this.#deps;
    const serving = servingOf(shares);
    const before = await this.#require(of);
    if (areSameShares(sharesOfSite(before), serving)) return;
    const [first] = serving;
    for (const { version } of serving) await this.#requireReady(of, version);
    const seen = await this.#require(of);
    const next = serving.find(({ version }) => version === seen.next?.version);
    if (serving.length === 1 && next !== undefined && next.version !== seen.production.version) {
      // What production had handed on would go the wrong way after the swap.
      if (seen.percent > 0) await client.configure(seen.name, 'production', toReroute(0, ''));
      await client.swap(seen.name);
      return;
    }
    const isKnown = serving.every(({ version }) => placeOf(seen, version) !== undefined);
    if (first === undefined || !isKnown)
      throw this.#unsettled(of, 'a site has room for two versions, and these are others');
    const percent = serving.length === 1 ? 0 : (next?.weight ?? 0);
    await client.configure(seen.name, 'production', toReroute(percent, seen.next?.hostName ?? ''));
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const seen = await this.#look(serviceId);
    const place = seen === undefined ? undefined : placeOf(seen, version);
    if (seen === undefined || place === undefined) return 'unknown';
    const at = place === 'production' ? seen.production : seen.next;
    return at !== undefined && (await this.#isWell(at)) ? 'healthy' : 'unhealthy';
  }

  async retire(of: ServiceOfTarget, version: string): Promise<void> {
    const seen = await this.#own(of);
    if (seen === undefined) return;
    const { client } = this.#deps;
    const isNext = seen.next?.version === version;
    if (isNext) await client.remove(seen.name, nextSlot);
    const left = [seen.production.version, isNext ? '' : (seen.next?.version ?? '')];
    if (left.every((one) => one === '' || one === version)) await client.remove(seen.name, 'production');
  }

  async setLimits(of: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    if (limits.concurrency !== undefined) {
      throw computeErrors.create('LIMIT_UNSUPPORTED', { computeTarget: this.name, limit: 'concurrency' });
    }
    const seen = await this.#own(of);
    if (seen === undefined) return this.#pending.setLimits(of, limits);
    const isSo = seen.limits.minReplicas === limits.minReplicas && seen.limits.maxReplicas === limits.maxReplicas;
    if (isSo) return;
    const change = toLimits(limits, this.#options.kind);
    await this.#deps.client.configure(seen.name, 'production', change);
    // A swap takes the configuration along: the other place needs the same.
    if (seen.next !== undefined) await this.#deps.client.configure(seen.name, nextSlot, change);
  }

  async applySettings(
    of: ServiceOfTarget,
    settings: SettingValues,
    { remove = [] }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    const seen = await this.#own(of);
    if (seen === undefined) {
      this.#pending.addSettings(of, settings);
      return 'restarted';
    }
    await this.#giveSettings(seen.name, 'production', { place: seen.production, settings, remove });
    if (seen.next !== undefined) await this.#giveSettings(seen.name, nextSlot, { place: seen.next, settings, remove });
    for (const { version } of sharesOfSite(seen)) await this.#requireReady(of, version);
    return 'restarted';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const seen = await this.#look(serviceId);
    if (seen === undefined) {
      const pending = this.#pending.settingsOf(serviceId);
      return new Map([...pending].filter(([name]) => names.includes(name)));
    }
    const places = seen.percent > 0 && seen.next !== undefined ? [seen.production, seen.next] : [seen.production];
    return new Map(
      names.flatMap((name) => {
        const [value, ...others] = places.map((place) => serviceSettingsOf(place.settings)[name]);
        const isSame = others.every((other) => other === value);
        return value === undefined || !isSame ? [] : [[name, new Secret(value)] as const];
      }),
    );
  }

  async restart(of: ServiceOfTarget): Promise<void> {
    const seen = await this.#require(of);
    for (const { version } of sharesOfSite(seen)) {
      await this.#deps.client.restart(seen.name, placeOf(seen, version) ?? 'production');
      await this.#requireReady(of, version);
    }
  }

  /** An empty site: its first version comes up in the slot as every other does. */
  async #create(of: ServiceOfTarget): Promise<SeenSite> {
    const { client } = this.#deps;
    const { installation, kind } = this.#options;
    const { settings, limits } = this.#pending.get(of);
    const tags = {
      [siteTags.installation]: installation,
      [siteTags.service]: of.serviceId,
      [siteTags.tenant]: of.tenantId,
    };
    const name = this.#nameOf(of.serviceId);
    await client.put(name, 'production', { ...this.#siteBody(), tags });
    const values = Object.fromEntries([...settings].map(([setting, value]) => [setting, value.reveal()]));
    await client.putSettings(name, 'production', values);
    if (limits !== undefined) await client.configure(name, 'production', toLimits(limits, kind));
    this.#pending.forget(of);
    return this.#require(of);
  }

  /** Puts a version into the slot, with the settings and limits of production. */
  async #fill({ name, production, limits }: SeenSite, version: string): Promise<void> {
    const { client } = this.#deps;
    const { kind, containerPort } = this.#options;
    const settings = placeSettingsOf(production.settings, { version, kind, containerPort });
    const { minReplicas, maxReplicas } = limits;
    const isLimited = minReplicas !== undefined && maxReplicas !== undefined;
    await client.put(name, nextSlot, this.#siteBody());
    await client.putSettings(name, nextSlot, settings);
    await client.configure(name, nextSlot, {
      linuxFxVersion: imageSettingOf(version),
      ...(isLimited ? toLimits({ minReplicas, maxReplicas }, kind) : {}),
    });
  }

  #siteBody(): Site {
    const { kind, location, planId, identity } = this.#options;
    return {
      ...{ location, serverFarmId: planId, reserved: true, httpsOnly: true },
      kind: kind === 'functions' ? 'functionapp,linux' : 'app,linux',
      ...(identity === undefined
        ? {}
        : { identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } } }),
    };
  }

  async #giveSettings(
    name: string,
    at: Place,
    change: {
      readonly place: SeenPlace;
      readonly settings: SettingValues;
      readonly remove: readonly string[];
    },
  ): Promise<void> {
    const { place, settings, remove } = change;
    const changed = [...settings].filter(([setting, value]) => place.settings[setting] !== value.reveal());
    const present = Object.entries(place.settings);
    const left = present.filter(([setting]) => !remove.includes(setting));
    if (changed.length === 0 && left.length === present.length) return;
    const values = changed.map(([setting, value]) => [setting, value.reveal()] as const);
    await this.#deps.client.putSettings(name, at, Object.fromEntries([...left, ...values]));
  }

  async #requireReady(of: ServiceOfTarget, version: string): Promise<void> {
    const outcome = await this.provision(of, version, new AbortController().signal);
    if (outcome.kind === 'failed') throw this.#unsettled(of, outcome.reason);
  }

  #unsettled({ serviceId }: ServiceOfTarget, reason: string): Error {
    const { settleMs: limitMs = defaultSettleMs } = this.#options;
    return computeErrors.create('TARGET_NOT_SETTLED', { computeTarget: this.name, serviceId, limitMs, reason });
  }

  /** Whether a place answers in the end. */
  async #answers(name: string, at: Place, signal: AbortSignal): Promise<ProvisionOutcome> {
    const { clock } = this.#deps;
    const { pollMs = defaultPollMs, settleMs = defaultSettleMs } = this.#options;
    const endMs = clock.monotonic() + settleMs;
    for (;;) {
      const place = await this.#seePlace(name, at);
      if (place !== undefined && (await this.#isWell(place))) return { kind: 'ready' };
      signal.throwIfAborted();
      if (clock.monotonic() >= endMs) return { kind: 'failed', reason: `it did not answer within ${settleMs} ms` };
      await sleep(clock, pollMs, signal);
    }
  }

  async #isWell({ hostName, isRunning }: SeenPlace): Promise<boolean> {
    if (!isRunning) return false;
    const url = `https://${hostName}${this.#options.healthPath}`;
    try {
      return (await this.#deps.probe({ method: 'GET', url, headers: {} })).status < 500;
    } catch {
      return false;
    }
  }

  async #look(serviceId: string): Promise<SeenSite | undefined> {
    const site = await this.#deps.client.get(this.#nameOf(serviceId), 'production');
    return site === undefined || ownerOf(site)?.serviceId !== serviceId ? undefined : this.#see(serviceId, site);
  }

  async #own({ serviceId, tenantId }: ServiceOfTarget): Promise<SeenSite | undefined> {
    const site = await this.#deps.client.get(this.#nameOf(serviceId), 'production');
    if (site === undefined) return undefined;
    const owner = ownerOf(site);
    if (owner?.serviceId === serviceId && owner.tenantId === tenantId) return this.#see(serviceId, site);
    throw computeErrors.create('SERVICE_FOREIGN', { serviceId, tenantId, computeTarget: this.name });
  }

  async #require(of: ServiceOfTarget): Promise<SeenSite> {
    const seen = await this.#own(of);
    if (seen !== undefined) return seen;
    const reason = `there is no ${of.serviceId}`;
    throw computeErrors.create('TARGET_REFUSED', {
      computeTarget: this.name,
      what: 'change a site',
      status: 404,
      reason,
    });
  }

  async #see(serviceId: string, site: Site): Promise<SeenSite> {
    const { client } = this.#deps;
    const name = this.#nameOf(serviceId);
    const [configuration, settings, next] = await Promise.all([
      client.configuration(name, 'production'),
      client.settings(name, 'production'),
      this.#seePlace(name, nextSlot),
    ]);
    const { defaultHostName: hostName = '', state } = site;
    const production = {
      version: versionOf(configuration, settings),
      settings,
      hostName,
      isRunning: state === 'Running',
    };
    return {
      name,
      production,
      next,
      percent: rerouted(configuration),
      limits: limitsOf(configuration, this.#options.kind),
    };
  }

  async #seePlace(name: string, at: Place): Promise<SeenPlace | undefined> {
    const { client } = this.#deps;
    const site = await client.get(name, at);
    if (site === undefined) return undefined;
    const [configuration, settings] = await Promise.all([client.configuration(name, at), client.settings(name, at)]);
    const { defaultHostName: hostName = '', state } = site;
    return { version: versionOf(configuration, settings), settings, hostName, isRunning: state === 'Running' };
  }

  async #observe({ serviceId, tenantId }: ServiceOfTarget, seen: SeenSite): Promise<ObservedService> {
    const weights = sharesOfSite(seen);
    const serving = weights.length > 1 && seen.next !== undefined ? [seen.production, seen.next] : [seen.production];
    const states = await Promise.all(serving.map((place) => this.#isWell(place)));
    return {
      ...{ serviceId, tenantId, componentType: this.#options.kind === 'functions' ? 'function-app' : 'web-app' },
      ...{ version: heaviestOf(weights), weights: [...weights], limits: seen.limits },
      replicas: weights.length === 0 ? 0 : await this.#deps.client.instances(seen.name),
      status: weights.length === 0 ? 'stopped' : statusOf(states),
      endpointUrl: `https://${seen.production.hostName}`,
    };
  }

  #nameOf(serviceId: string): string {
    return siteNameOf(this.#options.namePrefix, serviceId);
  }
}

function placeOf({ production, next }: SeenSite, version: string): Place | undefined {
  if (production.version === version) return 'production';
  return next?.version === version ? nextSlot : undefined;
}

function sharesOfSite({ production, next, percent }: SeenSite): readonly TrafficShare[] {
  return sharesOf(production.version, next?.version ?? '', percent);
}

function statusOf(states: readonly boolean[]): ObservedService['status'] {
  if (states.every((isWell) => isWell)) return 'running';
  return states.some((isWell) => isWell) ? 'degraded' : 'failed';
}
