/**
 * What the node-agent target keeps of its services: agents know pods alone. In the store of the control plane, so that every
 * process of it sees the same; settings are sealed, and open in their place alone.
 */
import { invariant, Secret } from '@switchyard/kernel';
import type { JsonValue } from '@switchyard/protocol';
import type { ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { Seal } from '../../catalog/seal.ts';
import { workerErrors } from '../../frame/errors.ts';
import type { Store, StoredDocument } from '../../store/contract.ts';
import type { ServiceOfTarget, SettingValues } from '../contract.ts';
import { computeErrors } from '../errors.ts';

export interface AgentService extends ServiceOfTarget {
  /** Versions that have pods. */
  readonly versions: readonly string[];
  /** Where requests go. */
  readonly weights: readonly TrafficShare[];
  /** Where requests are to go once there are pods enough. */
  readonly planned: readonly TrafficShare[];
  readonly limits: Partial<ServiceLimits>;
  /** Grows with every change that a pod must be replaced for. */
  readonly generation: number;
  readonly settings: SettingValues;
}

const kind = 'nodeAgentService';

/** Writers that change one service at once; more would be a fault. */
const maxConflicts = 10;

/** The most services of one page; the store's own limit. */
const pageSize = 200;

interface Kept {
  readonly versions: readonly string[];
  readonly weights: readonly TrafficShare[];
  readonly planned: readonly TrafficShare[];
  readonly limits: Partial<ServiceLimits>;
  readonly generation: number;
  /** Base64. */
  readonly settings: string;
}

export interface AgentServicesDeps {
  readonly store: Pick<Store, 'commit' | 'documents'>;
  readonly seal: Pick<Seal, 'seal' | 'open'>;
}

export class AgentServices {
  readonly #deps: AgentServicesDeps;
  readonly #computeTarget: string;

  constructor(deps: AgentServicesDeps, computeTarget: string) {
    this.#deps = deps;
    this.#computeTarget = computeTarget;
  }

  async get(serviceId: string): Promise<AgentService | undefined> {
    const found = await this.#deps.store.documents.get(kind, this.#keyOf(serviceId));
    return found === undefined ? undefined : this.#open(found);
  }

  async list(): Promise<readonly AgentService[]> {
    const all: AgentService[] = [];
    const keyPrefix = this.#keyOf('');
    for (let after: string | undefined; ; ) {
      const query = { keyPrefix, limit: pageSize, ...(after === undefined ? {} : { after }) };
      const page = await this.#deps.store.documents.list(kind, query);
      for (const found of page) all.push(this.#open(found));
      after = page.length === pageSize ? page.at(-1)?.key : undefined;
      if (after === undefined) return all;
    }
  }

  /**
   * Changes a service of its tenant; the same service means that nothing is to be written, undefined that it goes.
   * @throws PlatformError SERVICE_FOREIGN
   */
  async change(
    { serviceId, tenantId }: ServiceOfTarget,
    change: (service: AgentService) => AgentService | undefined,
  ): Promise<AgentService | undefined> {
    for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
      const found = await this.#deps.store.documents.get(kind, this.#keyOf(serviceId));
      if (found !== undefined && found.tenantId !== tenantId) {
        throw computeErrors.create('SERVICE_FOREIGN', { serviceId, tenantId, computeTarget: this.#computeTarget });
      }
      const before = found === undefined ? emptyService({ serviceId, tenantId }) : this.#open(found);
      const after = change(before);
      if (after === before || (after === undefined && found === undefined)) return after;
      const at = { documentKind: kind, key: this.#keyOf(serviceId), expectedRevision: found?.revision ?? 0 };
      const write =
        after === undefined
          ? ({ kind: 'remove', ...at } as const)
          : ({ kind: 'put', ...at, tenantId, value: this.#keep(after) } as const);
      const outcome = await this.#deps.store.commit({ writes: [write] });
      if (outcome.kind === 'committed') return after;
    }
    throw workerErrors.create('RECORD_CONFLICT', { kind, id: serviceId });
  }

  #keep({ serviceId, tenantId, settings, ...rest }: AgentService): JsonValue {
    const clear = JSON.stringify(Object.fromEntries([...settings].map(([name, value]) => [name, value.reveal()])));
    const sealed = this.#deps.seal.seal(clear, this.#placeOf(tenantId, serviceId));
    const { versions, weights, planned, limits, generation } = rest;
    const kept: Kept = {
      versions,
      weights,
      planned,
      limits,
      generation,
      settings: Buffer.from(sealed).toString('base64'),
    };
    return kept as unknown as JsonValue;
  }

  #open({ key, tenantId, value }: StoredDocument): AgentService {
    const serviceId = key.slice(this.#keyOf('').length);
    const { settings, ...rest } = value as unknown as Kept;
    const opened = this.#deps.seal.open(Buffer.from(settings, 'base64'), this.#placeOf(tenantId, serviceId));
    if (opened === undefined) {
      throw workerErrors.create('VAULT_UNREADABLE', { name: `settings of ${serviceId}`, version: rest.generation });
    }
    const clear: unknown = JSON.parse(opened.reveal());
    invariant(typeof clear === 'object' && clear !== null, 'sealed settings are an object');
    const values = Object.entries(clear).map(([name, text]) => [name, new Secret(String(text))] as const);
    return { serviceId, tenantId, ...rest, settings: new Map(values) };
  }

  #keyOf(serviceId: string): string {
    return `${this.#computeTarget}/${serviceId}`;
  }

  #placeOf(tenantId: string, serviceId: string): readonly string[] {
    return ['node-agent', this.#computeTarget, tenantId, serviceId];
  }
}

function emptyService(service: ServiceOfTarget): AgentService {
  return { ...service, versions: [], weights: [], planned: [], limits: {}, generation: 1, settings: new Map() };
}
