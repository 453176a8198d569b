import type { Span } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createMemoryMeter } from './memory-meter.ts';
import { OtlpExporter, otlpLimits } from './otlp-exporter.ts';

const span = (name: string): Span => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  name,
  kind: 'server',
  startMs: 1_000.5,
  endMs: 2_000,
  isError: false,
  attributes: { 'faas.name': name },
});

function rig(answer: () => Promise<{ status: number }> = async () => ({ status: 200 })) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const meter = createMemoryMeter();
  const posts: { url: string; body: Record<string, never> }[] = [];
  let reply = answer;
  const exporter = new OtlpExporter(
    {
      clock,
      log,
      meter,
      random: createSeededRandom(1),
      post: (url, body) => {
        posts.push({ url, body: JSON.parse(body) });
        return reply();
      },
    },
    { endpoint: 'http://collector:4318/', resource: { 'service.name': 'switchyard' } },
  );
  const names = () => posts.flatMap(({ body }) => spansOf(body)).map(({ name }) => name);
  return { clock, log, meter, posts, exporter, names, answerWith: (next: typeof answer) => (reply = next) };
}

function spansOf(body: Record<string, unknown>): { name: string }[] {
  const [resource] = (body.resourceSpans ?? []) as { scopeSpans: { spans: { name: string }[] }[] }[];
  return resource?.scopeSpans[0]?.spans ?? [];
}

describe('OtlpExporter', () => {
  it('sends spans as the protocol wants them', async () => {
    const { clock, posts, exporter } = rig();
    exporter.ended(span('hello'));
    await clock.advance(otlpLimits.spansEveryMs);
    expect(posts).toEqual([
      {
        url: 'http://collector:4318/v1/traces',
        body: {
          resourceSpans: [
            {
              resource: { attributes: [{ key: 'service.name', value: { stringValue: 'switchyard' } }] },
              scopeSpans: [
                {
                  scope: { name: 'switchyard' },
                  spans: [
                    {
                      traceId: 'a'.repeat(32),
                      spanId: 'b'.repeat(16),
                      parentSpanId: 'c'.repeat(16),
                      name: 'hello',
                      kind: 2,
                      startTimeUnixNano: '1000500000',
                      endTimeUnixNano: '2000000000',
                      attributes: [{ key: 'faas.name', value: { stringValue: 'hello' } }],
                      status: {},
                    },
                  ],
                },
              ],
            },
          ],
        },
      },
    ]);
    await clock.runUntil(exporter.close());
  });

  it('sends metrics every now and then', async () => {
    const { clock, posts, meter, exporter } = rig();
    meter.count('calls', 3, { app: 'shop' });
    meter.observe('wait_ms', 4);
    meter.gauge('level', 2);
    await clock.advance(otlpLimits.metricsEveryMs);
    const sent = JSON.stringify(posts.at(-1));
    expect(posts.at(-1)?.url).toBe('http://collector:4318/v1/metrics');
    expect(sent).toContain('"name":"switchyard.calls","sum":{"aggregationTemporality":2,"isMonotonic":true');
    expect(sent).toContain('"asDouble":3');
    expect(sent).toContain('"count":"1","sum":4');
    expect(sent).toContain('"name":"switchyard.level","gauge"');
    await clock.runUntil(exporter.close());
  });

  it('I1: drops what finds no place, and counts it', async () => {
    const { clock, exporter } = rig(() => new Promise(() => {}));
    for (let count = 0; count < otlpLimits.maxSpans + 3; count += 1) exporter.ended(span('x'));
    expect(exporter.dropped).toBe(3);
    await clock.runUntil(exporter.close());
    exporter.ended(span('late'));
    expect(exporter.dropped).toBe(4);
  });

  it('I2: has one request for spans under way, in batches', async () => {
    let underWay = 0;
    let most = 0;
    const { clock, posts, exporter } = rig(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
      return { status: 200 };
    });
    for (let count = 0; count < otlpLimits.maxSpansPerRequest + 1; count += 1) exporter.ended(span('x'));
    await clock.advance(otlpLimits.spansEveryMs);
    expect(posts.map(({ body }) => spansOf(body).length)).toEqual([otlpLimits.maxSpansPerRequest, 1]);
    expect(most).toBe(1);
    await clock.runUntil(exporter.close());
  });

  it('I3: tries again when the collector is back, and tells of the outage once', async () => {
    const { clock, log, exporter, names, answerWith } = rig(() => Promise.reject(new Error('refused')));
    exporter.ended(span('kept'));
    await clock.advance(60_000);
    expect(log.records.filter(({ level }) => level === 'warning')).toHaveLength(1);
    const before = names().length;
    expect(before).toBeGreaterThan(1);
    answerWith(async () => ({ status: 200 }));
    await clock.advance(120_000);
    expect([names().length, exporter.dropped]).toEqual([before + 1, 0]);
    await clock.runUntil(exporter.close());
  });

  it('I3: does not insist on what the collector refuses for good', async () => {
    const { clock, exporter, names } = rig(async () => ({ status: 400 }));
    exporter.ended(span('bad'));
    await clock.advance(120_000);
    expect([names(), exporter.dropped]).toEqual([['bad'], 1]);
    await clock.runUntil(exporter.close());
  });

  it('I4: sends what is left at the end, and waits for nobody for ever', async () => {
    const good = rig();
    good.exporter.ended(span('last'));
    await good.clock.runUntil(good.exporter.close());
    expect(good.names()).toEqual(['last']);
    const hanging = rig(() => new Promise(() => {}));
    hanging.exporter.ended(span('last'));
    const closed = hanging.exporter.close();
    await hanging.clock.advance(otlpLimits.closeMs);
    await expect(closed).resolves.toBeUndefined();
  });
});
