import type { ApplicationDefinition, Stack } from '@switchyard/model';

/** What the scale controller sees and steers of a Runtime. The Runtime of this process has exactly this shape. */
export interface ScaledRuntime {
  /** What every version has to do that is awake, or every one of an app. */
  load(applicationId?: string): readonly ObservedVersion[];
  /** Gives a version so many workers; what is too many ends when nothing runs on it. */
  scaleTo(definition: ApplicationDefinition, wish: WorkerWish): void;
  /** Calls back when a version without workers is called. Without it such a version waits for the next look. */
  watchWakes?(observer: (definition: ApplicationDefinition) => void): () => void;
}

/** How many workers a version shall have. */
export interface WorkerWish {
  readonly count: number;
  /** The most invocations that one worker runs at once; as many as come when left out. */
  readonly perWorker?: number;
  /** The limit only keeps calls for workers that are on their way: it is given up before a call would be refused for it. */
  readonly isSoft?: boolean;
  /** How many it keeps when nothing happens. */
  readonly standing?: number;
}

/** One version of an app at work. Counters only grow, unless the version is hosted anew. */
export interface ObservedVersion {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  /** Percent of the app's invocations. */
  readonly weight: number;
  readonly wantedCount: number;
  readonly readyCount: number;
  readonly startingCount: number;
  readonly drainingCount: number;
  readonly blockedCount: number;
  readonly heldCount: number;
  /** Those of the held ones that wait for a turn of the Runtime, and not for a worker. */
  readonly pacedCount: number;
  readonly waitingCount: number;
  readonly refusedCount: number;
  readonly startFailureCount: number;
  readonly quietMs: number;
  readonly idleMs: number | undefined;
  readonly standingCount: number;
  readonly functions: readonly ObservedFunction[];
  readonly workerIds: readonly string[];
  /** What host.json says of workers; left out where it says nothing. */
  readonly workerModel?: WorkerModel;
}

export interface ObservedFunction {
  readonly name: string;
  readonly activeCount: number;
  readonly startedCount: number;
  readonly endedCount: number;
  readonly failedCount: number;
  readonly totalMs: number;
  readonly durationCounts: readonly number[];
}

/** `extensions.workerModel` of host.json. */
export interface WorkerModel {
  readonly maxWorkersPerRuntime: number;
  readonly minWorkersPerRuntime: number;
  readonly workerAffinityMode: 'none' | 'preferred' | 'strict';
}

/** One text for all three parts of a version. */
export function versionKey({ applicationId, metadataVersion, codeVersion }: ApplicationDefinition): string {
  return `${applicationId}:${metadataVersion}:${codeVersion}`;
}
