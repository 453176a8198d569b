import { EventEmitter } from 'node:events';
import { createDeferred } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type EventSink, heartbeatMs, stalledReaderMs, writeEvents } from './event-response.ts';
import type { ControlEvent } from './event-stream.ts';

/** A response that keeps what is written and takes as much as it is told to. */
class FakeSink extends EventEmitter {
  readonly written: string[] = [];
  takes = true;
  state: 'open' | 'ended' | 'destroyed' = 'open';

  writeHead(status: number, headers: Record<string, string>): this {
    this.written.push(`${status} ${headers['content-type']}`);
    return this;
  }
  flushHeaders(): void {}
  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }
  end(): this {
    if (this.state === 'open') this.state = 'ended';
    return this;
  }
  destroy(): this {
    this.state = 'destroyed';
    return this;
  }
}

/** A source that gives an event whenever it is told to, and knows what was asked of it. */
class FakeSource implements AsyncIterable<ControlEvent> {
  asked = 0;
  isReturned = false;
  #next = createDeferred<IteratorResult<ControlEvent, void>>();

  give(data: unknown): void {
    this.#next.resolve({ done: false, value: { name: 'line', data } });
  }
  finish(): void {
    this.#next.resolve({ done: true, value: undefined });
  }
  fail(reason: Error): void {
    this.#next.reject(reason);
  }
  [Symbol.asyncIterator](): AsyncIterator<ControlEvent, void> {
    return {
      next: () => {
        this.asked += 1;
        this.#next = createDeferred();
        return this.#next.promise;
      },
      return: async () => {
        this.isReturned = true;
        return { done: true, value: undefined };
      },
    };
  }
}

async function start(takes = true) {
  const [clock, sink, source, stop] = [new VirtualClock(), new FakeSink(), new FakeSource(), new AbortController()];
  sink.takes = takes;
  let isOver = false;
  const deps = { clock, toFailure: (thrown: unknown) => ({ message: String(thrown) }) };
  const over = writeEvents(deps, sink as unknown as EventSink, {}, source, stop.signal).then(() => {
    isOver = true;
  });
  await clock.settle();
  return { clock, sink, source, stop, over, isOver: () => isOver };
}

describe('writeEvents', () => {
  it('I1: asks for the next event when the reader has taken the last', async () => {
    const { clock, sink, source } = await start(false);
    source.give(1);
    await clock.settle();
    expect([source.asked, sink.written]).toEqual([1, ['200 text/event-stream', 'event: line\ndata: 1\n\n']]);
    sink.emit('drain');
    await clock.settle();
    expect(source.asked).toBe(2);
  });

  it('I2: shows that it lives while nothing happens', async () => {
    const { clock, sink, source } = await start();
    await clock.advance(heartbeatMs - 1);
    expect(sink.written).toHaveLength(1);
    await clock.advance(1);
    expect(sink.written.at(-1)).toMatch(/^: /);
    await clock.advance(heartbeatMs * 2);
    expect(sink.written).toHaveLength(4);
    source.give(1);
    await clock.advance(heartbeatMs - 1);
    expect(sink.written.at(-1)).toContain('data: 1');
  });

  it('I3: ends with its source', async () => {
    const { clock, sink, source, isOver } = await start();
    source.finish();
    await clock.settle();
    expect([isOver(), sink.state, clock.pendingTimers]).toEqual([true, 'ended', 0]);
  });

  it.each(['close', 'abort'] as const)('I3: %s tells the source', async (how) => {
    const { clock, sink, source, stop, isOver } = await start();
    if (how === 'close') sink.emit('close');
    else stop.abort();
    await clock.settle();
    expect([isOver(), source.isReturned, sink.state, clock.pendingTimers]).toEqual([true, true, 'ended', 0]);
    expect([sink.listenerCount('close'), sink.listenerCount('drain')]).toEqual([0, 0]);
  });

  it('I3: gives a reader up that takes nothing', async () => {
    const { clock, sink, source, isOver } = await start(false);
    source.give(1);
    await clock.advance(stalledReaderMs - 1);
    expect([isOver(), sink.state]).toEqual([false, 'open']);
    await clock.advance(1);
    expect([isOver(), source.isReturned, sink.state]).toEqual([true, true, 'destroyed']);
  });

  it('I3: writes nothing for a caller that is gone already', async () => {
    const [clock, sink, source] = [new VirtualClock(), new FakeSink(), new FakeSource()];
    const deps = { clock, toFailure: () => ({}) };
    await writeEvents(deps, sink as unknown as EventSink, {}, source, AbortSignal.abort());
    expect([source.isReturned, sink.state]).toEqual([true, 'ended']);
  });

  it('I4: says why the source failed', async () => {
    const { clock, sink, source, isOver } = await start();
    source.fail(new Error('no more'));
    await clock.settle();
    expect([isOver(), sink.state]).toEqual([true, 'ended']);
    expect(sink.written.at(-1)).toBe('event: failed\ndata: {"message":"Error: no more"}\n\n');
  });

  it('I4: hands a failure on that no event stands for', async () => {
    const [clock, sink, source] = [new VirtualClock(), new FakeSink(), new FakeSource()];
    const over = writeEvents({ clock }, sink as unknown as EventSink, {}, source, new AbortController().signal);
    source.fail(new Error('no more'));
    await expect(over).rejects.toThrow('no more');
    expect([source.isReturned, sink.state, clock.pendingTimers]).toEqual([true, 'ended', 0]);
  });
});
