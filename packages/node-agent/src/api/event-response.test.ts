import { EventEmitter } from 'node:events';
import type { JobLogEvent } from '@switchyard/protocol/job-api';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type EventSink, writeEvents } from './event-response.ts';
import { heartbeatMs, stalledReaderMs } from './limits.ts';

/** A reader that takes what it is given while `takes` is true. */
class FakeSink extends EventEmitter {
  readonly written: string[] = [];
  takes = true;
  isEnded = false;
  isDestroyed = false;

  writeHead(): void {}
  flushHeaders(): void {}

  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

const asSink = (sink: FakeSink): EventSink => sink as unknown as EventSink;
const never = new AbortController().signal;
const output = (text: string): JobLogEvent => ({ name: 'output', data: { stream: 'stdout', text } });

/** Events on demand: counts how many were asked for, and goes silent after `count`. */
function source(count: number) {
  const asked = { count: 0, isClosed: false };
  async function* events(): AsyncGenerator<JobLogEvent> {
    try {
      for (let index = 0; index < count; index += 1) {
        asked.count += 1;
        yield output(`${index}`);
      }
      await new Promise(() => {});
    } finally {
      asked.isClosed = true;
    }
  }
  return { asked, events: events() };
}

describe('writeEvents', () => {
  it('I1: asks for the next event when the reader has taken the last', async () => {
    const clock = new VirtualClock();
    const sink = new FakeSink();
    sink.takes = false;
    const { asked, events } = source(5);
    void writeEvents(clock, asSink(sink), events, never);
    await clock.settle();
    expect(asked.count).toBe(1);
    sink.emit('drain');
    await clock.settle();
    expect(asked.count).toBe(2);
  });

  it('I2: shows that a silent stream lives', async () => {
    const clock = new VirtualClock();
    const sink = new FakeSink();
    void writeEvents(clock, asSink(sink), source(1).events, never);
    await clock.advance(heartbeatMs * 3);
    expect(sink.written.filter((text) => text.startsWith(':'))).toHaveLength(3);
  });

  it('I3: cuts a reader off that takes nothing', async () => {
    const clock = new VirtualClock();
    const sink = new FakeSink();
    sink.takes = false;
    const done = writeEvents(clock, asSink(sink), source(5).events, never);
    await clock.advance(stalledReaderMs - 1);
    expect(sink.isDestroyed).toBe(false);
    await clock.advance(1);
    await done;
    expect(sink.isDestroyed).toBe(true);
  });

  it('I3: ends with the signal, before and within the stream', async () => {
    const clock = new VirtualClock();
    for (const early of [true, false]) {
      const sink = new FakeSink();
      const stop = new AbortController();
      if (early) stop.abort();
      const done = writeEvents(clock, asSink(sink), source(0).events, stop.signal);
      await clock.settle();
      stop.abort();
      await done;
      expect(sink.isEnded).toBe(true);
      expect(sink.listenerCount('drain')).toBe(0);
    }
  });

  it('ends with its source, and hands its failure on', async () => {
    const clock = new VirtualClock();
    async function* broken(): AsyncGenerator<JobLogEvent> {
      yield output('a');
      throw new Error('gone wrong');
    }
    const sink = new FakeSink();
    await expect(writeEvents(clock, asSink(sink), broken(), never)).rejects.toThrow('gone wrong');
    expect(sink.isEnded).toBe(true);
  });
});
