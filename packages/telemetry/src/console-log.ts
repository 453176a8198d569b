import type { Clock, Log, LogFields, LogLevel, LogRecord } from '@switchyard/kernel';
import { toTextLine } from './text-line.ts';

/** Takes finished text; for example a process's stdout. */
export interface TextSink {
  write(text: string): unknown;
}

export interface ConsoleLogDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly sink: TextSink;
}

/** Says whether a line is wanted; asked before anything is formatted. */
export type RecordFilter = (level: LogLevel, fields: LogFields) => boolean;

export interface ConsoleLogOptions {
  readonly colors: boolean;
  /** Puts the app's id before each line. */
  readonly showApplication: boolean;
  readonly isWanted: RecordFilter;
}

/** A log for people: lines in the format of the official tools. */
export function createConsoleLog({ clock, sink }: ConsoleLogDeps, options: ConsoleLogOptions): Log {
  return createLog(clock, options.isWanted, (record) => sink.write(`${toTextLine(record, options)}\n`));
}

/** A log from a function that writes one record. Children carry the fields of their parents; a line's own ones win. */
export function createLog(
  clock: Pick<Clock, 'now'>,
  isWanted: RecordFilter,
  write: (record: LogRecord) => void,
  bound?: LogFields,
): Log {
  return {
    write(level, message, own) {
      const fields = mergeFields(bound, own);
      if (isWanted(level, fields)) write({ timeMs: clock.now(), level, message, fields });
    },
    child: (fields) => createLog(clock, isWanted, write, mergeFields(bound, fields)),
  };
}

/** The fields of a line: its own ones win over those of its log. Makes no object where one of the two says it all. */
export function mergeFields(bound: LogFields | undefined, own: LogFields | undefined): LogFields {
  if (bound === undefined) return own ?? noFields;
  return own === undefined ? bound : { ...bound, ...own };
}

const noFields: LogFields = {};

/** Whether colours are welcome: on a terminal, unless NO_COLOR is set (https://no-color.org) or it is a dumb one. */
export function wantsColors(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  const { NO_COLOR: noColor, TERM: terminal } = environment;
  return isTerminal && (noColor === undefined || noColor === '') && terminal !== 'dumb';
}
