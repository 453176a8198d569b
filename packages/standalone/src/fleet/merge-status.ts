/** An app that several Runtimes serve, shown as one: pure. */
import type { FunctionBacklog, FunctionMeasure, JobHostStatus, VersionLoad, VersionStatus } from '@switchyard/runtime';
import { versionKey } from '../up/versions/deployed-version.ts';

const stateRank = ['active', 'dormant', 'indexing', 'created', 'draining', 'faulted', 'stopped'] as const;
const versionRank = ['active', 'starting', 'dormant', 'draining'] as const;

/** Each function is asked about where it listens; one that listens in several places counts once. */
export function mergeBacklogs(backlogs: readonly FunctionBacklog[]): readonly FunctionBacklog[] {
  return [...new Map(backlogs.map((backlog) => [backlog.functionName, backlog])).values()];
}

/** One status for each JobHost; of several the liveliest speaks for all, and all their workers are shown. */
export function mergeStatuses(statuses: readonly JobHostStatus[]): readonly JobHostStatus[] {
  return [...Map.groupBy(statuses, ({ key }) => key).values()].map(mergeHosts);
}

function mergeHosts(statuses: readonly JobHostStatus[]): JobHostStatus {
  const [first, ...others] = statuses.toSorted(
    (one, other) => stateRank.indexOf(one.state) - stateRank.indexOf(other.state),
  ) as [JobHostStatus, ...JobHostStatus[]];
  if (others.length === 0) return first;
  const versions = Map.groupBy(
    [first, ...others].flatMap((status) => status.versions),
    ({ definition }) => versionKey(definition),
  );
  return {
    ...first,
    workers: statuses.flatMap(({ workers }) => workers),
    versions: [...versions.values()].map(mergeVersions),
  };
}

function mergeVersions(statuses: readonly VersionStatus[]): VersionStatus {
  const [first] = statuses.toSorted(
    (one, other) => versionRank.indexOf(one.state) - versionRank.indexOf(other.state),
  ) as [VersionStatus];
  return {
    ...first,
    weight: Math.max(...statuses.map(({ weight }) => weight)),
    workers: statuses.flatMap(({ workers }) => workers),
    invocations: sum(statuses, ({ invocations }) => invocations),
  };
}

/** What each version has to do on all Runtimes together. */
export function mergeLoads(loads: readonly VersionLoad[]): readonly VersionLoad[] {
  return [...Map.groupBy(loads, ({ definition }) => versionKey(definition)).values()].map(mergeVersionLoads);
}

function mergeVersionLoads(loads: readonly VersionLoad[]): VersionLoad {
  const [first, ...others] = loads as [VersionLoad, ...VersionLoad[]];
  if (others.length === 0) return first;
  const total = (of: (load: VersionLoad) => number): number => sum(loads, of);
  return {
    ...first,
    weight: Math.max(...loads.map(({ weight }) => weight)),
    wantedCount: total(({ wantedCount }) => wantedCount),
    readyCount: total(({ readyCount }) => readyCount),
    startingCount: total(({ startingCount }) => startingCount),
    drainingCount: total(({ drainingCount }) => drainingCount),
    blockedCount: total(({ blockedCount }) => blockedCount),
    heldCount: total(({ heldCount }) => heldCount),
    pacedCount: total(({ pacedCount }) => pacedCount),
    waitingCount: total(({ waitingCount }) => waitingCount),
    refusedCount: total(({ refusedCount }) => refusedCount),
    startFailureCount: Math.max(...loads.map(({ startFailureCount }) => startFailureCount)),
    quietMs: Math.min(...loads.map(({ quietMs }) => quietMs)),
    functions: mergeMeasures(loads.flatMap(({ functions }) => functions)),
    workerIds: loads.flatMap(({ workerIds }) => workerIds),
  };
}

function mergeMeasures(measures: readonly FunctionMeasure[]): readonly FunctionMeasure[] {
  return [...Map.groupBy(measures, ({ name }) => name).values()].map((same) => {
    const [first] = same as [FunctionMeasure];
    return {
      ...first,
      activeCount: sum(same, ({ activeCount }) => activeCount),
      startedCount: sum(same, ({ startedCount }) => startedCount),
      endedCount: sum(same, ({ endedCount }) => endedCount),
      failedCount: sum(same, ({ failedCount }) => failedCount),
      totalMs: sum(same, ({ totalMs }) => totalMs),
      durationCounts: first.durationCounts.map((_, index) =>
        sum(same, ({ durationCounts }) => durationCounts[index] ?? 0),
      ),
    };
  });
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
