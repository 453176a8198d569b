/** Severity, lowest first; the names of the Functions host's levels in lower case. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical';

/** All levels, lowest first. */
export const logLevels: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical'];

/** What a line carries beside its message. Never put a secret here: use Secret, which prints `***`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One log line, before any formatting. */
export interface LogRecord {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * Where the platform's own lines go. Messages are constant text; whatever varies stands in the fields. A field named
 * `category` follows the Functions host's category names (`Host.Startup`, `Function.Hello.User`, ...).
 */
export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
  /** A log whose lines also carry `fields`. */
  child(fields: LogFields): Log;
}

/** Drops every line. */
export const silentLog: Log = {
  write: () => {},
  child: () => silentLog,
};
