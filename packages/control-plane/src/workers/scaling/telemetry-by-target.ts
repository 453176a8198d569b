/** Each service is measured where it runs. */
import type { DomainView } from '../../frame/contract.ts';
import type { Telemetry } from './scaling-worker.ts';

/** `own` measures everything at a target that has no telemetry of its own. */
export function createTelemetryByTarget(
  { view, own }: { readonly view: Pick<DomainView, 'get'>; readonly own: Telemetry },
  byTarget: ReadonlyMap<string, Telemetry>,
): Telemetry {
  if (byTarget.size === 0) return own;
  return {
    async read(serviceId, metric, nowMs) {
      const service = await view.get('service', serviceId);
      const telemetry = byTarget.get(service?.computeTarget ?? '') ?? own;
      return telemetry.read(serviceId, metric, nowMs);
    },
  };
}
