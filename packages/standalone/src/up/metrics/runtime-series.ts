import type { VersionLoad } from '@switchyard/runtime';
import type { MetricSeries } from '@switchyard/telemetry';

/** What a Runtime knows at the moment, as measurements: its workers and what its functions have done, by app and version. */
export function toRuntimeSeries(loads: readonly VersionLoad[]): readonly MetricSeries[] {
  return loads.flatMap((load) => {
    const labels = { app: load.definition.applicationId, tenant: load.tenantId, version: load.definition.codeVersion };
    const gauge = (name: string, value: number): MetricSeries => ({ kind: 'gauge', name, labels, value });
    return [
      gauge('workers_connected_count', load.readyCount),
      gauge('workers_starting_count', load.startingCount),
      gauge('workers_draining_count', load.drainingCount),
      gauge('workers_blocked_count', load.blockedCount),
      gauge('workers_wanted_count', load.wantedCount),
      gauge('invocations_held_now_count', load.heldCount),
      gauge('requests_waiting_count', load.waitingCount),
      gauge('traffic_share_percent', load.weight),
      ...load.functions.flatMap((one): MetricSeries[] => {
        const ofFunction = { ...labels, function: one.name };
        const counter = (name: string, value: number): MetricSeries => ({
          kind: 'counter',
          name,
          labels: ofFunction,
          value,
        });
        return [
          { kind: 'gauge', name: 'invocations_active_count', labels: ofFunction, value: one.activeCount },
          counter('invocations_routed_total', one.startedCount),
          counter('invocations_ended_total', one.endedCount),
          counter('invocations_failed_total', one.failedCount),
          {
            kind: 'distribution',
            name: 'invocation_duration_ms',
            labels: ofFunction,
            sum: one.totalMs,
            count: one.endedCount,
            // The Runtime counts classes of durations and keeps no single ones.
            minimum: 0,
            maximum: 0,
          },
        ];
      }),
    ];
  });
}
