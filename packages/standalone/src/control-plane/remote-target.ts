/**
 * An installation elsewhere as the compute target "switchyard": each call is one of its control API, which asks the same
 * target from inside. For workers that run in a process of their own.
 */
import type {
  ComputeTarget,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOrder,
  SettingsOutcome,
  SettingValues,
  Telemetry,
  TrafficOrder,
  VersionHealth,
} from '@switchyard/control-plane';
import { type Clock, Secret, sleep } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';

/** The part of the control API that is the target. What is not there is undefined. */
export interface RemoteControl {
  list(after: string | undefined, signal: AbortSignal): Promise<ServicePage>;
  get(serviceId: string): Promise<ObservedService | undefined>;
  provision(service: ServiceOfTarget, version: string, signal: AbortSignal): Promise<Provisioned>;
  healthOf(serviceId: string, version: string): Promise<VersionHealth>;
  retire(service: ServiceOfTarget, version: string): Promise<void>;
  setTraffic(service: ServiceOfTarget, shares: readonly TrafficShare[], order: TrafficOrder): Promise<void>;
  setLimits(service: ServiceOfTarget, limits: ServiceLimits): Promise<void>;
  /** Values in clear, here and below: they go over the connection alone. */
  applySettings(
    service: ServiceOfTarget,
    set: Readonly<Record<string, string>>,
    order: SettingsOrder,
  ): Promise<SettingsOutcome>;
  readSettings(serviceId: string, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  restart(service: ServiceOfTarget, signal: AbortSignal): Promise<void>;
  measure(serviceId: string, metric: string): Promise<number | undefined>;
}

export type Provisioned = ProvisionOutcome | { readonly kind: 'under-way' };

/** A version that takes longer than a call may is asked for again so soon. */
const pollMs = 500;

export function createRemoteTarget({
  clock,
  control,
}: {
  readonly clock: Clock;
  readonly control: RemoteControl;
}): ComputeTarget {
  return {
    name: 'switchyard',
    list: (after, signal) => control.list(after, signal),
    get: (serviceId) => control.get(serviceId),
    async provision(service, version, signal) {
      for (;;) {
        const outcome = await control.provision(service, version, signal);
        if (outcome.kind !== 'under-way') return outcome;
        await sleep(clock, pollMs, signal);
      }
    },
    healthOf: (serviceId, version) => control.healthOf(serviceId, version),
    retire: (service, version) => control.retire(service, version),
    setTraffic: (service, shares, order = {}) => control.setTraffic(service, shares, order),
    setLimits: (service, limits) => control.setLimits(service, limits),
    applySettings: (service, settings, order = {}) => control.applySettings(service, toClear(settings), order),
    async readSettings(serviceId, names) {
      const values = await control.readSettings(serviceId, names);
      return new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
    },
    restart: (service, signal) => control.restart(service, signal),
  };
}

/** What is measured where the apps run. */
export function createRemoteTelemetry(control: RemoteControl): Telemetry {
  return { read: (serviceId, metric) => control.measure(serviceId, metric) };
}

function toClear(settings: SettingValues): Readonly<Record<string, string>> {
  return Object.fromEntries([...settings].map(([name, value]) => [name, value.reveal()]));
}
