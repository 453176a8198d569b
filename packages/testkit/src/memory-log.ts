import type { Clock, Log, LogFields, LogRecord } from '@switchyard/kernel';

/** A log that keeps its lines. */
export interface MemoryLog extends Log {
  /** Every line so far, those of the children too, in order. */
  readonly records: readonly LogRecord[];
  /** The lines with this message. */
  withMessage(message: string): readonly LogRecord[];
  child(fields: LogFields): MemoryLog;
}

/** Makes a log for tests. A child's lines carry the parent's fields and its own; the line's own fields win. */
export function createMemoryLog(clock?: Pick<Clock, 'now'>): MemoryLog {
  const records: LogRecord[] = [];
  const bind = (bound: LogFields): MemoryLog => ({
    records,
    withMessage: (message) => records.filter((record) => record.message === message),
    write(level, message, fields = {}) {
      records.push({ timeMs: clock?.now() ?? 0, level, message, fields: { ...bound, ...fields } });
    },
    child: (fields) => bind({ ...bound, ...fields }),
  });
  return bind({});
}
