/** A compute target in memory, for tests: services with versions, traffic, limits and settings. */
import { Secret } from '@switchyard/kernel';
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
} from '../targets/contract.ts';
import { computeErrors } from '../targets/errors.ts';

export interface MemoryService {
  readonly serviceId: string;
  readonly tenantId: string;
  versions: Set<string>;
  weights: readonly TrafficShare[];
  limits: Partial<ServiceLimits>;
  settings: Map<string, string>;
  /** What the running service has read; differs from the settings until a restart, where it cannot reload. */
  running: Map<string, string>;
  status: ObservedService['status'];
  restarts: number;
}

export interface MemoryTargetOptions {
  readonly name?: string;
  readonly canReload?: boolean;
  /** Called after every change: a crash may follow. */
  readonly onWrite?: () => void;
  /** Called before every call; what it throws is thrown. */
  readonly onCall?: (what: string, serviceId: string) => void;
}

export class MemoryTarget implements ComputeTarget {
  readonly name: string;
  readonly services = new Map<string, MemoryService>();
  /** Versions that do no good. */
  readonly unhealthy = new Set<string>();
  /** Versions that never come up. */
  readonly broken = new Set<string>();
  /** What every change is refused with. */
  failing: string | undefined;
  /** Called with what the traffic and the settings are changed to. */
  onTraffic: (shares: readonly TrafficShare[]) => void = () => {};
  onSettings: (set: ReadonlyMap<string, string>, remove: readonly string[]) => void = () => {};
  /** Every change, in order, without values. */
  readonly changes: string[] = [];
  readonly #options: MemoryTargetOptions;

  constructor(options: MemoryTargetOptions = {}) {
    this.name = options.name ?? 'memory';
    this.#options = options;
  }

  async list(): Promise<ServicePage> {
    this.#options.onCall?.('list', '');
    return { items: [...this.services.values()].map((service) => this.#observe(service)) };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    this.#options.onCall?.('get', serviceId);
    const found = this.services.get(serviceId);
    return found === undefined ? undefined : this.#observe(found);
  }

  async provision(service: ServiceOfTarget, version: string, signal?: AbortSignal): Promise<ProvisionOutcome> {
    signal?.throwIfAborted();
    this.#options.onCall?.('provision', service.serviceId);
    if (this.failing !== undefined) throw new Error(this.failing);
    if (this.broken.has(version)) return { kind: 'failed', reason: `${version} does not start` };
    const found = this.#ensure(service);
    if (!found.versions.has(version)) this.#write(service, `provision ${version}`, () => found.versions.add(version));
    return { kind: 'ready' };
  }

  async setTraffic(service: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    this.#options.onCall?.('setTraffic', service.serviceId);
    const broken = shares.find(({ version }) => this.broken.has(version));
    if (broken !== undefined) throw new Error(`${broken.version} does not start`);
    const found = this.#ensure(service);
    if (JSON.stringify(found.weights) === JSON.stringify(shares)) return;
    const said = shares.map(({ version, weight }) => `${version}=${weight}`).join(' ');
    this.#write(service, `traffic ${said}`, () => {
      found.weights = shares;
      found.status = 'running';
      this.onTraffic(shares);
    });
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    if (this.services.get(serviceId)?.versions.has(version) !== true) return 'unknown';
    return this.unhealthy.has(version) ? 'unhealthy' : 'healthy';
  }

  async retire(service: ServiceOfTarget, version: string): Promise<void> {
    if (!this.services.has(service.serviceId)) return;
    const found = this.#ensure(service);
    if (!found.versions.has(version)) return;
    this.#write(service, `retire ${version}`, () => {
      found.versions.delete(version);
      found.weights = found.weights.filter((share) => share.version !== version);
      if (found.versions.size === 0) this.services.delete(service.serviceId);
    });
  }

  async setLimits(service: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    this.#options.onCall?.('setLimits', service.serviceId);
    const found = this.#ensure(service);
    if (JSON.stringify(found.limits) === JSON.stringify(limits)) return;
    this.#write(service, `limits ${limits.minReplicas}-${limits.maxReplicas}`, () => {
      found.limits = limits;
    });
  }

  async applySettings(
    service: ServiceOfTarget,
    settings: SettingValues,
    { remove = [] }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    this.#options.onCall?.('applySettings', service.serviceId);
    const found = this.#ensure(service);
    if (this.failing !== undefined) throw new Error(this.failing);
    const canReload = this.#options.canReload ?? true;
    this.#write(service, `settings ${[...settings.keys()].join(' ')}`, () => {
      for (const [name, value] of settings) {
        found.settings.set(name, value.reveal());
        if (canReload) found.running.set(name, value.reveal());
      }
      for (const name of remove) {
        found.settings.delete(name);
        if (canReload) found.running.delete(name);
      }
      this.onSettings(new Map([...settings].map(([name, value]) => [name, value.reveal()])), remove);
    });
    return canReload ? 'reloaded' : 'restart-required';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const running = this.services.get(serviceId)?.running ?? new Map<string, string>();
    return new Map(
      names.filter((name) => running.has(name)).map((name) => [name, new Secret(running.get(name) ?? '')]),
    );
  }

  async restart(service: ServiceOfTarget): Promise<void> {
    this.#options.onCall?.('restart', service.serviceId);
    const found = this.#ensure(service);
    this.#write(service, 'restart', () => {
      found.running = new Map(found.settings);
      found.restarts += 1;
    });
  }

  #observe(service: MemoryService): ObservedService {
    const observed = toObserved(service);
    const isSpoilt = observed.status === 'running' && this.unhealthy.has(observed.version);
    return isSpoilt ? { ...observed, status: 'degraded' } : observed;
  }

  #ensure({ serviceId, tenantId }: ServiceOfTarget): MemoryService {
    const known = this.services.get(serviceId);
    if (known !== undefined && known.tenantId !== tenantId) {
      throw computeErrors.create('SERVICE_FOREIGN', { serviceId, tenantId, computeTarget: this.name });
    }
    if (known !== undefined) return known;
    const made: MemoryService = {
      ...{ serviceId, tenantId, versions: new Set(), weights: [], limits: {}, restarts: 0, status: 'stopped' },
      ...{ settings: new Map(), running: new Map() },
    };
    this.services.set(serviceId, made);
    return made;
  }

  #write({ serviceId }: ServiceOfTarget, what: string, change: () => void): void {
    change();
    this.changes.push(`${serviceId}: ${what}`);
    this.#options.onWrite?.();
  }
}

function toObserved({ serviceId, tenantId, weights, limits, status }: MemoryService): ObservedService {
  const [first] = [...weights].sort((left, right) => right.weight - left.weight);
  return {
    ...{
      serviceId,
      tenantId,
      componentType: 'function-app',
      version: first?.version ?? '',
      weights: [...weights],
      status,
    },
    replicas: limits.minReplicas ?? (weights.length > 0 ? 1 : 0),
    limits: { ...limits },
  };
}
