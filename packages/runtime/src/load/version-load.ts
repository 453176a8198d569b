import type { ApplicationDefinition, Stack, WorkerModelExtension } from '@switchyard/model';
import type { FunctionMeasure } from './function-measures.ts';

/** What one version of an app has to do at the moment, and who is there to do it: what scale is decided on. */
export interface VersionLoad {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  /** Percent of the app's invocations. */
  readonly weight: number;
  /** Workers that the supply is asked for. */
  readonly wantedCount: number;
  readonly readyCount: number;
  readonly startingCount: number;
  /** Workers that get nothing new and finish what they have. */
  readonly drainingCount: number;
  /** Ready workers that take nothing at the moment. */
  readonly blockedCount: number;
  /** Invocations that wait for a worker; they are among the active ones of their functions. */
  readonly heldCount: number;
  /** Those of them that a worker has room for: they wait for a turn of the Runtime, which others use as well. */
  readonly pacedCount: number;
  /** Requests that wait for a worker before they become invocations. */
  readonly waitingCount: number;
  /** Invocations that were refused because nobody had room, since the version was hosted. */
  readonly refusedCount: number;
  /** Starts that failed since the last worker became ready. */
  readonly startFailureCount: number;
  /** For how long nothing has run or waited; 0 while something does. */
  readonly quietMs: number;
  /** After so long the version has its standing workers alone; undefined for never. */
  readonly idleMs: number | undefined;
  /** Workers that it keeps when nobody has said otherwise since. */
  readonly standingCount: number;
  readonly functions: readonly FunctionMeasure[];
  readonly workerIds: readonly string[];
  /** What host.json says of workers; left out where it says nothing. */
  readonly workerModel?: WorkerModelExtension;
}

/** How many workers a version shall have. */
export interface WorkerWish {
  /** While anything runs or waits there is at least one. */
  readonly count: number;
  /** The most invocations that one worker runs at once; what is beyond that waits. As many as come when left out. */
  readonly perWorker?: number;
  /** The limit only keeps calls for workers that are on their way: it is given up before a call would be refused for it. */
  readonly isSoft?: boolean;
  /** How many it keeps when nothing happens; as it was when left out. */
  readonly standing?: number;
}
