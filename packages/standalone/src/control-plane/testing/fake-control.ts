/** A control API over a target in the same process, for tests. */
import type { ComputeTarget, Telemetry } from '@switchyard/control-plane';
import { Secret } from '@switchyard/kernel';
import type { RemoteControl } from '../remote-target.ts';

export function createFakeControl(target: ComputeTarget, telemetry: Telemetry): RemoteControl {
  return {
    list: (after, signal) => target.list(after, signal),
    get: (serviceId) => target.get(serviceId),
    provision: (service, version, signal) => target.provision(service, version, signal),
    healthOf: (serviceId, version) => target.healthOf(serviceId, version),
    retire: (service, version) => target.retire(service, version),
    setTraffic: (service, shares, order) => target.setTraffic(service, shares, order),
    setLimits: (service, limits) => target.setLimits(service, limits),
    applySettings: (service, set, order) =>
      target.applySettings(
        service,
        new Map(Object.entries(set).map(([name, value]) => [name, new Secret(value)])),
        order,
      ),
    readSettings: async (serviceId, names) =>
      Object.fromEntries(
        [...(await target.readSettings(serviceId, names))].map(([name, value]) => [name, value.reveal()]),
      ),
    restart: (service, signal) => target.restart(service, signal),
    measure: (serviceId, metric) => telemetry.read(serviceId, metric, 0),
  };
}
