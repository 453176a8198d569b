import type { Clock } from '@switchyard/kernel';

/** What happened in a simulated world, in order, with the time since its start. */
export interface EventLog {
  note(event: string): void;
  /** The last `count` lines, oldest first. */
  tail(count: number): readonly string[];
  readonly lines: readonly string[];
}

/** Lines that a log keeps; the oldest go first. */
const maxLines = 10_000;

export function createEventLog(clock: Pick<Clock, 'monotonic'>): EventLog {
  const lines: string[] = [];
  return {
    lines,
    note(event) {
      lines.push(`${clock.monotonic().toFixed(0).padStart(7)} ms  ${event}`);
      if (lines.length > maxLines) lines.shift();
    },
    tail: (count) => lines.slice(-count),
  };
}
