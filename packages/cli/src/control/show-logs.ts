/** What `logs` shows. */
import type { LogLevel } from '@switchyard/kernel';
import type { LogLine } from '@switchyard/protocol/control-api';
import { toTextLine, wantsColors } from '@switchyard/telemetry';
import type { CommandContext } from '../command.ts';
import type { ControlClient, EventOf } from './control-client.ts';
import { controlErrors } from './errors.ts';
import { ConnectionLost } from './event-connection.ts';
import { followEvents } from './follow-events.ts';
import { toProblemError } from './problem-error.ts';
import { createReplayFilter } from './replay-filter.ts';

export interface ReadLogsOptions {
  readonly app: string;
  /** Goes on with the lines to come, across lost connections. */
  readonly follow: boolean;
  /** How many of the kept lines to begin with; all when undefined. */
  readonly tail: number | undefined;
  readonly level: LogLevel | undefined;
  readonly signal: AbortSignal;
  readonly onLost: (reason: string) => void;
}

/** Spellings of each level, the one that is shown first. */
export const levels: Readonly<Record<LogLevel, readonly string[]>> = {
  trace: ['trace'],
  debug: ['debug'],
  information: ['information', 'info'],
  warning: ['warning', 'warn'],
  error: ['error'],
  critical: ['critical'],
};

/** The lines of an app, each once. */
export async function* readLogs(
  client: ControlClient,
  options: ReadLogsOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { app, follow, tail, level, signal, onLost } = options;
  const path = { app };
  if (!follow) {
    yield* readOnce(client, client.events('getLogs', { path, query: { tail, level }, signal }));
    return;
  }
  const replay = createReplayFilter();
  const connect = (connections: number) => {
    // Lines that came while there was no connection are among the kept ones, behind those that were shown.
    const query = { follow: '', level, tail: connections === 0 ? tail : undefined };
    replay.restart(connections > 0);
    return client.events('getLogs', { path, query, signal });
  };
  for await (const event of followEvents(client, connect, { signal, onLost })) {
    const line = lineOf(event);
    if (replay.isNew(line.at)) yield line;
  }
}

async function* readOnce(
  client: ControlClient,
  events: AsyncIterable<EventOf<'getLogs'>>,
): AsyncGenerator<LogLine, void, undefined> {
  try {
    for await (const event of events) yield lineOf(event);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    throw controlErrors.create('CONTROL_ANSWER_CUT', { endpoint: client.endpoint, reason: error.message });
  }
}

function lineOf(event: EventOf<'getLogs'>): LogLine {
  if (event.name === 'line') return event.data;
  throw toProblemError(event.data, 500);
}

/** A line as `switchyard dev` shows it. */
export function toLogLine(line: LogLine, { stdout, environment }: CommandContext): string {
  const { at, level, message, category, functionName, invocationId, workerId } = line;
  const fields = { category, functionName, invocationId, workerId };
  const record = { timeMs: Date.parse(at), level, message, fields };
  const colors = wantsColors(stdout.isTTY === true, environment);
  return `${toTextLine(record, { colors, showApplication: false })}\n`;
}
