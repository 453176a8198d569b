import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { readSpans, Spans } from './spans.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = `00-${traceId}-b7ad6b7169203331-01`;

function open() {
  const clock = new VirtualClock(1_000);
  return { clock, spans: new Spans({ clock, random: createSeededRandom(3) }) };
}

test('I1: a span is a child of what it began with, and its own child is a child of it', async () => {
  const { clock, spans } = open();
  const outer = spans.begin('capability.acquire', parent);
  await clock.advance(5);
  const inner = spans.begin('ml.infer', outer.traceparent);
  await clock.advance(2);
  inner.end('TIMEOUT');
  outer.end();
  const [first, second] = spans.take();
  expect(first).toMatchObject({ traceId, name: 'ml.infer', startMs: 1_005, durationMs: 2, error: 'TIMEOUT' });
  expect(second).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331', startMs: 1_000, durationMs: 7, error: '' });
  expect(first?.parentSpanId).toBe(second?.spanId);
  expect(outer.traceparent).toBe(`00-${traceId}-${second?.spanId}-01`);
  expect(spans.take()).toEqual([]);
});

test.each([
  '',
  'nonsense',
  '00-a-b-01',
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `ff-${traceId}-b7ad6b7169203331-01`,
])("I1: '%s' is handed on, and nothing is recorded", (text) => {
  const { spans } = open();
  const span = spans.begin('x', text);
  span.end();
  expect([span.traceparent, spans.take()]).toEqual([text, []]);
});

test('I2: a trace that is not sampled is handed on, and nothing is recorded', () => {
  const { spans } = open();
  const text = `00-${traceId}-b7ad6b7169203331-00`;
  const span = spans.begin('x', text);
  span.end();
  expect([span.traceparent, spans.take()]).toEqual([text, []]);
});

test('I3: of too many spans the oldest go', () => {
  const { spans } = open();
  for (let count = 0; count < 1_005; count += 1) spans.begin(`call ${count}`, parent).end();
  const taken = spans.take();
  expect([taken.length, taken[0]?.name]).toEqual([1_000, 'call 5']);
});

test('what a host sends is spans, or nothing', () => {
  const span = { traceId, spanId: 'a', parentSpanId: 'b', name: 'x', startMs: 1, durationMs: 1, error: '' };
  expect(readSpans([span, null, 5, { ...span, name: 5 }, { ...span, name: 'x'.repeat(201) }])).toEqual([span]);
  for (const value of [undefined, 'x', { length: 1 }]) expect(readSpans(value)).toEqual([]);
});
