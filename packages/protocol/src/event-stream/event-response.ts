/**
 * Writes a stream of events to a reader that may be slow, silent or gone.
 *
 * I1 The next event is only asked for when the reader has taken those before.
 * I2 A silent stream gets a comment every `heartbeatMs`.
 * I3 When the reader is gone, takes nothing for `stalledReaderMs`, or the signal aborts, the source is told to end and the
 *    response is over.
 * I4 A source that fails ends the stream: with an event `failed` when there is one to say, and else by rejecting.
 */
import type { ServerResponse } from 'node:http';
import { type Clock, createDeferred, type Timer } from '@switchyard/kernel';
import { type ControlEvent, eventStreamType, formatEvent, heartbeatText } from './event-stream.ts';

/** How often a silent stream shows that it lives. */
export const heartbeatMs = 15_000;

/** How long a reader may take nothing before its stream is cut. */
export const stalledReaderMs = 60_000;

/** What is used of a response of node:http. */
export type EventSink = Pick<
  ServerResponse,
  'writeHead' | 'flushHeaders' | 'write' | 'end' | 'destroy' | 'once' | 'off'
>;

export interface EventResponseDeps {
  readonly clock: Clock;
  /** The data of the event `failed` that stands for a failure of the source. Without it the caller gets the failure. */
  readonly toFailure?: (thrown: unknown) => unknown;
}

/** Resolves when the stream is over, whoever ended it. Rejects only with a failure of the source that nothing stands for. */
export async function writeEvents(
  { clock, toFailure }: EventResponseDeps,
  sink: EventSink,
  headers: Readonly<Record<string, string>>,
  events: AsyncIterable<ControlEvent>,
  signal: AbortSignal,
): Promise<void> {
  const stop = createDeferred<'stopped'>();
  const onStop = (): void => stop.resolve('stopped');
  signal.addEventListener('abort', onStop, { once: true });
  sink.once('close', onStop);
  if (signal.aborted) onStop();
  sink.writeHead(200, { 'content-type': eventStreamType, 'cache-control': 'no-store', ...headers });
  sink.flushHeaders();
  const iterator = events[Symbol.asyncIterator]();
  const heartbeat = startHeartbeat(clock, () => sink.write(heartbeatText));
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stop.promise]);
      if (next === 'stopped' || next.done) break;
      heartbeat.pause();
      if (!sink.write(formatEvent(next.value.name, next.value.data)) && !(await takes(clock, sink, stop.promise)))
        break;
      heartbeat.resume();
    }
  } catch (thrown) {
    if (!toFailure) throw thrown;
    sink.write(formatEvent('failed', toFailure(thrown)));
  } finally {
    heartbeat.pause();
    signal.removeEventListener('abort', onStop);
    sink.off('close', onStop);
    // A source that waits for its next event need not answer; the signal has told it.
    void Promise.resolve(iterator.return?.()).catch(() => {});
    sink.end();
  }
}

/** Waits until the reader has taken what was written. False when it does not, or when the stream is over. */
async function takes(clock: Clock, sink: EventSink, stopped: Promise<'stopped'>): Promise<boolean> {
  const outcome = createDeferred<'taken' | 'stalled'>();
  const onDrain = (): void => outcome.resolve('taken');
  sink.once('drain', onDrain);
  const timer = clock.schedule(stalledReaderMs, () => outcome.resolve('stalled'));
  try {
    const result = await Promise.race([outcome.promise, stopped]);
    // Nobody reads the end of a response whose reader takes nothing.
    if (result === 'stalled') sink.destroy();
    return result === 'taken';
  } finally {
    timer.cancel();
    sink.off('drain', onDrain);
  }
}

function startHeartbeat(clock: Clock, beat: () => void): { pause(): void; resume(): void } {
  let timer: Timer | undefined;
  const resume = (): void => {
    timer?.cancel();
    timer = clock.schedule(heartbeatMs, () => {
      beat();
      resume();
    });
  };
  resume();
  return { pause: () => timer?.cancel(), resume };
}
