/**
 * Writes a job's events to a reader that may be slow, silent or gone.
 *
 * I1 The next event is only asked for when the reader has taken those before.
 * I2 A silent stream gets a comment every `heartbeatMs`.
 * I3 A reader that takes nothing for `stalledReaderMs` is cut off, and a signal that aborts ends the stream.
 */
import type { ServerResponse } from 'node:http';
import { type Clock, createDeferred, type Timer } from '@switchyard/kernel';
import { eventStreamType, formatEvent, heartbeatText, type JobLogEvent } from '@switchyard/protocol/job-api';
import { heartbeatMs, stalledReaderMs } from './limits.ts';

/** What is used of a response of node:http. */
export type EventSink = Pick<
  ServerResponse,
  'writeHead' | 'flushHeaders' | 'write' | 'end' | 'destroy' | 'once' | 'off'
>;

/** Resolves when the stream is over. Rejects with what the source rejects with. */
export async function writeEvents(
  clock: Clock,
  sink: EventSink,
  events: AsyncIterable<JobLogEvent>,
  signal: AbortSignal,
): Promise<void> {
  sink.writeHead(200, { 'content-type': eventStreamType, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  sink.flushHeaders();
  const stopped = createDeferred<'stopped'>();
  const stop = (): void => stopped.resolve('stopped');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const iterator = events[Symbol.asyncIterator]();
  const heartbeat = startHeartbeat(clock, sink);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stopped.promise]);
      if (next === 'stopped' || next.done === true) break;
      heartbeat.pause();
      const isTaken = sink.write(formatEvent(next.value.name, next.value.data));
      if (!isTaken && !(await hasTaken(clock, sink, stopped.promise))) break;
      heartbeat.resume();
    }
  } finally {
    heartbeat.pause();
    signal.removeEventListener('abort', stop);
    // A source that waits for its next event need not answer; the signal has told it.
    void Promise.resolve(iterator.return?.()).catch(() => {});
    sink.end();
  }
}

/** False when the reader does not take what was written, or the stream is over. */
async function hasTaken(clock: Clock, sink: EventSink, stopped: Promise<'stopped'>): Promise<boolean> {
  const outcome = createDeferred<'taken' | 'stalled'>();
  const onDrain = (): void => outcome.resolve('taken');
  sink.once('drain', onDrain);
  const timer = clock.schedule(stalledReaderMs, () => outcome.resolve('stalled'));
  try {
    const result = await Promise.race([outcome.promise, stopped]);
    if (result === 'stalled') sink.destroy();
    return result === 'taken';
  } finally {
    timer.cancel();
    sink.off('drain', onDrain);
  }
}

function startHeartbeat(clock: Clock, sink: EventSink): { pause(): void; resume(): void } {
  let timer: Timer | undefined;
  const resume = (): void => {
    timer = clock.schedule(heartbeatMs, () => {
      sink.write(heartbeatText);
      resume();
    });
  };
  resume();
  return { pause: () => timer?.cancel(), resume };
}
