import type { Log, LogFields, LogLevel } from '@switchyard/kernel';
import { type ConsoleLogDeps, createLog, type RecordFilter } from './console-log.ts';

/** The platform's levels as pino numbers them. */
const pinoLevels: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  information: 30,
  warning: 40,
  error: 50,
  critical: 60,
};

/**
 * A log for machines: one JSON object per line with `time` (ISO 8601, UTC), `level`, `message` and the fields. Loads
 * pino when it is called, so that nobody else pays for it.
 */
export async function openJsonLog({ clock, sink }: ConsoleLogDeps, isWanted: RecordFilter): Promise<Log> {
  const { pino } = await import('pino');
  const logger = pino(
    {
      base: null,
      messageKey: 'message',
      timestamp: false,
      customLevels: pinoLevels,
      useOnlyCustomLevels: true,
      level: 'trace',
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void sink.write(line) },
  );
  return createLog(clock, isWanted, ({ timeMs, level, message, fields }) =>
    logger[level]({ time: new Date(timeMs).toISOString(), ...withErrors(fields, pino.stdSerializers.err) }, message),
  );
}

/** pino writes errors out under one known name only; ours may stand under any. Reserved names get an underscore. */
function withErrors(fields: LogFields, serialize: (error: Error) => unknown): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      reserved.has(name) ? `${name}_` : name,
      value instanceof Error ? serialize(value) : value,
    ]),
  );
}

const reserved = new Set(['time', 'level', 'message']);
