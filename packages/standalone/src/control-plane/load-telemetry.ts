/** Measurements for scaling policies, from what the Runtime says of its load: per worker that stands ready. */
import type { Telemetry } from '@switchyard/control-plane';
import type { VersionLoad } from '@switchyard/runtime';

type LoadOf = (applicationId: string) => readonly VersionLoad[];

/** What each metric counts of one version. */
const metrics: Readonly<Record<string, (load: VersionLoad) => number>> = {
  /** Invocations that run or wait. */
  active: ({ functions, waitingCount }) =>
    waitingCount + functions.reduce((sum, { activeCount }) => sum + activeCount, 0),
  /** Requests and invocations that nobody works on yet. */
  waiting: ({ waitingCount, heldCount }) => waitingCount + heldCount,
};

export const telemetryMetrics: readonly string[] = Object.keys(metrics);

export function createLoadTelemetry(loadOf: LoadOf): Telemetry {
  return {
    async read(serviceId, metric) {
      const count = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
      const serving = loadOf(serviceId).filter(({ weight }) => weight > 0);
      if (count === undefined || serving.length === 0) return undefined;
      const replicas = serving.reduce((sum, { readyCount }) => sum + readyCount, 0);
      return serving.reduce((sum, load) => sum + count(load), 0) / Math.max(1, replicas);
    },
  };
}
