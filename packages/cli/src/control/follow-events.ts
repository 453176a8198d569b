/**
 * A stream of events that goes on across lost connections, until it is cancelled. The first connection must succeed: a
 * command that never reached the platform says so at once.
 */
import { backoffMs, type Clock, isPlatformError, messageOf, type Random, sleep } from '@switchyard/kernel';
import { controlErrors } from './errors.ts';
import { ConnectionLost } from './event-connection.ts';
import { controlLimits } from './limits.ts';

export interface FollowDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Where the platform is, for messages. */
  readonly endpoint: string;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Called when a connection was lost and is about to be tried for again. */
  readonly onLost?: (reason: string) => void;
}

/** A connection that held for this long begins the count of tries anew. */
const steadyMs = 30_000;

/**
 * The events of one connection after the other; `connect` is called with the number of connections so far. Throws what
 * cannot be mended by another try, the signal's reason, or CONTROL_STREAM_LOST after too many tries in a row.
 */
export async function* followEvents<Event>(
  { clock, random, endpoint }: FollowDeps,
  connect: (connections: number) => AsyncIterable<Event>,
  { signal, onLost }: FollowOptions,
): AsyncGenerator<Event, void, undefined> {
  let connections = 0;
  let tries = 0;
  for (;;) {
    const sinceMs = clock.monotonic();
    let reason = 'the platform closed it';
    try {
      for await (const event of connect(connections)) {
        tries = 0;
        yield event;
      }
      connections += 1;
    } catch (error) {
      if (signal.aborted || !isWorthATry(error, connections)) throw error;
      if (error instanceof ConnectionLost) connections += 1;
      reason = messageOf(error);
    }
    signal.throwIfAborted();
    if (clock.monotonic() - sinceMs >= steadyMs) tries = 0;
    if (tries >= controlLimits.reconnectTries)
      throw controlErrors.create('CONTROL_STREAM_LOST', { endpoint, tries, reason });
    if (tries === 0) onLost?.(reason);
    await sleep(clock, backoffMs(controlLimits.reconnect, tries, random), signal);
    tries += 1;
  }
}

function isWorthATry(error: unknown, connections: number): boolean {
  if (error instanceof ConnectionLost) return true;
  return connections > 0 && isPlatformError(error) && error.retry !== 'never';
}
