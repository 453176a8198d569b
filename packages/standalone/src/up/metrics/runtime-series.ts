import type { ApplicationDefinition } from '@switchyard/model';
import type { WorkerUsage } from '@switchyard/protocol';
import type { VersionLoad } from '@switchyard/runtime';
import type { MetricSeries } from '@switchyard/telemetry';

/** Who knows what workers use. */
export interface KnownUsage {
  readonly usageOf: (workerId: string) => WorkerUsage | undefined;
  /** The mean share of the processors that the workers of a version can use. */
  readonly cpuShareOf: (definition: ApplicationDefinition) => number | undefined;
}

/** What a Runtime knows at the moment, as measurements: its workers and what its functions have done, by app and version. */
export function toRuntimeSeries(loads: readonly VersionLoad[], known: KnownUsage): readonly MetricSeries[] {
  return loads.flatMap((load) => {
    const labels = { app: load.definition.applicationId, tenant: load.tenantId, version: load.definition.codeVersion };
    const gauge = (name: string, value: number): MetricSeries => ({ kind: 'gauge', name, labels, value });
    const used = load.workerIds.flatMap((workerId) => known.usageOf(workerId) ?? []);
    const cpuShare = known.cpuShareOf(load.definition);
    return [
      gauge('workers_connected_count', load.readyCount),
      gauge('workers_starting_count', load.startingCount),
      gauge('workers_draining_count', load.drainingCount),
      gauge('workers_blocked_count', load.blockedCount),
      gauge('workers_wanted_count', load.wantedCount),
      gauge('invocations_held_now_count', load.heldCount),
      gauge('invocations_paced_now_count', load.pacedCount),
      gauge('requests_waiting_count', load.waitingCount),
      gauge('traffic_share_percent', load.weight),
      // Nothing is better than a zero that nobody has measured.
      ...(used.length === 0
        ? []
        : [
            gauge(
              'workers_memory_bytes',
              used.reduce((sum, one) => sum + one.memoryBytes, 0),
            ),
          ]),
      ...(cpuShare === undefined ? [] : [gauge('workers_processors_ratio', cpuShare)]),
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
