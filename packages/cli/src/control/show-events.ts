/** What `events` shows: one line per event. */
import type { DomainEventView } from '@switchyard/protocol/control-api';
import type { CommandContext } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ControlClient } from './control-client.ts';
import { followEvents } from './follow-events.ts';
import { toProblemError } from './problem-error.ts';

export interface ShowEventsOptions {
  readonly type: string | undefined;
  readonly environment: string | undefined;
  readonly correlation: string | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

type Sinks = Pick<CommandContext, 'stdout' | 'stderr'>;

export async function listEvents(
  client: ControlClient,
  { json, signal, ...query }: ShowEventsOptions & { readonly limit: number | undefined },
  { stdout }: Sinks,
): Promise<number> {
  const { items } = await client.call('listEvents', { path: {}, query, signal });
  if (json) stdout.write(`${JSON.stringify({ items })}\n`);
  else stdout.write(items.length === 0 ? 'Nothing was told yet.\n' : items.map(toEventLine).join(''));
  return exitCodes.done.code;
}

/** Prints events as they are told until the signal aborts; lost connections go on where they broke off. */
export async function tailEvents(
  client: ControlClient,
  { json, signal, ...query }: ShowEventsOptions,
  { stdout, stderr }: Sinks,
): Promise<number> {
  let after: number | undefined;
  const connect = () =>
    client.events('listEvents', {
      path: {},
      query: { ...query, follow: '', ...(after === undefined ? {} : { after }) },
      signal,
    });
  const onLost = (reason: string) => stderr.write(`The connection was lost (${reason}); trying to get it back.\n`);
  for await (const event of followEvents(client, connect, { signal, onLost })) {
    if (event.name !== 'event') throw toProblemError(event.data, 500);
    after = event.data.sequence;
    stdout.write(json ? `${JSON.stringify(event.data)}\n` : toEventLine(event.data));
  }
  return exitCodes.done.code;
}

/** `12:00:01.123  RuntimeDriftDetected  acme.default  shop  evt-...` */
function toEventLine({ envelope }: DomainEventView): string {
  const { occurredAt, eventType, eventId } = envelope;
  const text = (name: string): string => (typeof envelope[name] === 'string' ? envelope[name] : '-');
  const time = occurredAt.slice(11, 23);
  return `${time}  ${eventType.padEnd(28)}  ${text('environmentId')}  ${text('subject')}  ${eventId}\n`;
}
