/** What a wrapper promises to those who ask it: the sidecar, the pod host, and whoever talks to its socket. */
import type { WorkerUsage } from '@switchyard/protocol';

/** The part of a command line by which one launch of a worker differs from another. */
export interface LaunchConfiguration {
  readonly executable: string;
  /** In order, in front of the worker's path. */
  readonly arguments: readonly string[];
  /** Empty when the executable is the worker. */
  readonly workerPath: string;
}

/** What is to be different after a restart; what it leaves out stays as it is. */
export type LaunchChange = Partial<LaunchConfiguration>;

/** What became of a wish to restart. `accepted` comes before the old worker has ended. */
export type RestartOutcome =
  | { readonly kind: 'accepted' }
  /** Another restart is under way. This one changes nothing; ask again when that is over. */
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'rejected'; readonly reason: string };

/** How a sidecar reaches the wrapper of its worker: the supervisor itself, or a client of its socket. */
export interface WorkerControl {
  /** Ends the worker and starts it anew. Never rejects: a wrapper that cannot be reached is a `rejected`. */
  restart(reason: string, change?: LaunchChange): Promise<RestartOutcome>;
}

export type SupervisorStateKind = 'created' | 'running' | 'restarting' | 'backing-off' | 'stopping' | 'ended';

/** A wrapper as it shows itself. No secrets: those never reach it. */
export interface SupervisorStatus {
  readonly state: SupervisorStateKind;
  /** Undefined while no worker runs. */
  readonly pid: number | undefined;
  /** Workers started so far, the first one too. */
  readonly starts: number;
  /** Restarts that were asked for and accepted. */
  readonly restarts: number;
  /** Times the worker failed by itself. */
  readonly crashes: number;
  readonly launch: LaunchConfiguration;
  /** What the worker uses; left out where nobody measures it. */
  readonly usage?: WorkerUsage | undefined;
}

/** The most that a change may hold: what does not fit is no command line. */
export const launchChangeLimits = { maxArguments: 1_000, maxTextLength: 32_768 } as const;

/** Why a change cannot be taken, or nothing. */
export function faultOfChange(change: LaunchChange): string | undefined {
  const { maxArguments, maxTextLength } = launchChangeLimits;
  if (change.executable === '')
    return "'executable' is empty; name a program, or leave it out to keep the one there is";
  const count = change.arguments?.length ?? 0;
  if (count > maxArguments) return `'arguments' holds ${count} words; at most ${maxArguments} are taken`;
  const texts = [change.executable, change.workerPath, ...(change.arguments ?? [])];
  for (const text of texts) {
    if (text === undefined) continue;
    if (text.length > maxTextLength) return `a word of ${text.length} characters is longer than ${maxTextLength}`;
    if (text.includes('\0')) return 'a word holds a null character, which no command line can carry';
  }
  return undefined;
}
