/**
 * What was asked for services that are not there yet, at targets that can keep it with the service alone. It need not outlive
 * the process: whoever provisions a service says all of it again.
 */
import type { ServiceLimits } from '@switchyard/protocol/control-api';
import type { ServiceOfTarget, SettingValues } from './contract.ts';

export interface PendingService {
  readonly limits?: ServiceLimits;
  readonly settings: SettingValues;
}

export class PendingServices {
  readonly #pending = new Map<string, PendingService>();

  get({ serviceId, tenantId }: ServiceOfTarget): PendingService {
    return this.#pending.get(keyOf(serviceId, tenantId)) ?? { settings: new Map() };
  }

  setLimits(of: ServiceOfTarget, limits: ServiceLimits): void {
    this.#pending.set(keyOf(of.serviceId, of.tenantId), { ...this.get(of), limits });
  }

  addSettings(of: ServiceOfTarget, settings: SettingValues): void {
    const before = this.get(of);
    const pending = { ...before, settings: new Map([...before.settings, ...settings]) };
    this.#pending.set(keyOf(of.serviceId, of.tenantId), pending);
  }

  /** The settings that whoever asked last gave, of whichever tenant: only the service's own worker asks. */
  settingsOf(serviceId: string): SettingValues {
    for (const [key, { settings }] of this.#pending) if (key.startsWith(`${serviceId} `)) return settings;
    return new Map();
  }

  forget({ serviceId, tenantId }: ServiceOfTarget): void {
    this.#pending.delete(keyOf(serviceId, tenantId));
  }
}

function keyOf(serviceId: string, tenantId: string): string {
  return `${serviceId} ${tenantId}`;
}
