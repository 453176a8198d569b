/** What `trace` shows: that frames pass, and never what is in them. */
import type { TraceFrame } from '@switchyard/protocol/control-api';
import type { CommandContext } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ControlClient } from './control-client.ts';
import { followEvents } from './follow-events.ts';
import { toProblemError } from './problem-error.ts';
import { count, toSize } from './table.ts';

export interface ShowTraceOptions {
  readonly app: string;
  readonly worker: string | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Prints frames until the signal aborts; lost connections are taken up again. */
export async function showTrace(
  client: ControlClient,
  { app, worker, json, signal }: ShowTraceOptions,
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
): Promise<number> {
  const connect = () => client.events('traceApplication', { path: { app }, query: { worker }, signal });
  const onLost = (reason: string) => stderr.write(`The connection was lost (${reason}); trying to get it back.\n`);
  for await (const event of followEvents(client, connect, { signal, onLost })) {
    if (event.name === 'failed') throw toProblemError(event.data, 500);
    if (event.name === 'frame') stdout.write(json ? `${JSON.stringify(event.data)}\n` : toFrameLine(event.data));
    else stderr.write(`${count(event.data.count, 'frame')} left out: they came faster than they could be shown.\n`);
  }
  return exitCodes.done.code;
}

const arrows = { toWorker: '->', toRuntime: '<-' } as const;

/** `12:00:01.123  -> worker-1  invocationRequest  42 B  id`: the arrow points away from the Runtime. */
function toFrameLine({ at, workerId, direction, type, id = '', sizeBytes }: TraceFrame): string {
  const time = at.slice(11, 23);
  return `${`${time}  ${arrows[direction]} ${workerId}  ${type.padEnd(24)}  ${toSize(sizeBytes).padStart(7)}  ${id}`.trimEnd()}\n`;
}
