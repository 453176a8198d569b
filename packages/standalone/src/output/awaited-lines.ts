import type { Log, LogFields } from '@switchyard/kernel';

/** Lines of the host that editors and scripts wait for: the official tools show them whatever the log levels say. */
const awaited: ReadonlySet<string> = new Set(['Worker process started and initialized.']);

export interface AwaitedLinesOptions {
  /** The category that every level filter lets through. */
  readonly category: string;
  /** Leaves out what the line carries beside its text, for people and for patterns that want the line's end. */
  readonly bare: boolean;
}

/** A log that lets the awaited lines pass every filter; everything else goes through unchanged. */
export function showAwaitedLines(log: Log, options: AwaitedLinesOptions): Log {
  return {
    write(level, message, fields) {
      log.write(level, message, awaited.has(message) ? shown(fields ?? {}, options) : fields);
    },
    child: (fields) => showAwaitedLines(log.child(fields), options),
  };
}

function shown(fields: LogFields, { category, bare }: AwaitedLinesOptions): LogFields {
  if (!bare) return { ...fields, category };
  const hidden = Object.keys(fields).filter((name) => name !== 'applicationId');
  return { ...fields, ...Object.fromEntries(hidden.map((name) => [name, undefined])), category };
}
