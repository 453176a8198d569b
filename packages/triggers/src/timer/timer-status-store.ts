import type { TimerStatus } from './timer-status.ts';

/** Which timer a status belongs to. */
export interface TimerKey {
  readonly applicationId: string;
  readonly hostId: string;
  readonly functionName: string;
}

/** Where the status of timers survives a restart. */
export interface TimerStatusStore {
  /** The status written last, or undefined when there is none. Rejects when it cannot be read. */
  read(key: TimerKey, signal: AbortSignal): Promise<TimerStatus | undefined>;
  /** Replaces the status: a reader sees the old one or the new one. */
  write(key: TimerKey, status: TimerStatus): Promise<void>;
}
