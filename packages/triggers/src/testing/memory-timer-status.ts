import type { TimerStatus } from '../timer/timer-status.ts';
import type { TimerKey, TimerStatusStore } from '../timer/timer-status-store.ts';

/** Timer statuses that survive as long as the object does. */
export function createMemoryTimerStatus(): TimerStatusStore {
  const statuses = new Map<string, TimerStatus>();
  const keyOf = (key: TimerKey): string => JSON.stringify([key.applicationId, key.hostId, key.functionName]);
  return {
    read: async (key) => statuses.get(keyOf(key)),
    write: async (key, status) => void statuses.set(keyOf(key), status),
  };
}
