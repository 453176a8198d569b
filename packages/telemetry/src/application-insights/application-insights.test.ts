import { createHash } from 'node:crypto';
import type { FunctionRun } from '@switchyard/kernel';
import type { SamplingSettings } from '@switchyard/model';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createLevelFilter, type MinimumLevel } from '../level-filter.ts';
import { ApplicationInsights, insightsLimits } from './application-insights.ts';
import type { TrackAnswer } from './track-answer.ts';

const secret = 'the-instrumentation-key';
const taken: TrackAnswer = { status: 200, retryAfter: undefined, body: '' };

interface Envelope {
  readonly name: string;
  readonly sampleRate: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: { readonly baseData: Readonly<Record<string, unknown>> };
}

function open(
  given: { readonly sampling?: SamplingSettings; readonly levels?: Readonly<Record<string, MinimumLevel>> } = {},
) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const posts: { readonly url: string; readonly envelopes: readonly Envelope[] }[] = [];
  let answer: () => Promise<TrackAnswer> = async () => taken;
  const sink = new ApplicationInsights(
    {
      clock,
      log,
      random: createSeededRandom(1),
      post: (url, body) => {
        posts.push({ url, envelopes: body.split('\n').map((line) => JSON.parse(line)) });
        return answer();
      },
    },
    {
      ingestionEndpoint: 'http://in.example.com',
      source: { instrumentationKey: secret, role: 'shop', roleInstance: 'one', version: '1' },
      sampling: given.sampling,
      isWanted: createLevelFilter({
        levels: new Map(Object.entries(given.levels ?? {})),
        fallback: () => 'information',
      }),
    },
  );
  const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    sink.line({ timeMs: clock.now(), level: 'information', message, fields });
  const messages = () =>
    posts.flatMap(({ envelopes }) => envelopes).flatMap(({ data }) => [data.baseData.message ?? data.baseData.name]);
  const answerWith = (next: () => Promise<TrackAnswer>): void => {
    answer = next;
  };
  return { clock, log, posts, sink, say, messages, answerWith };
}

const run = (given: Partial<FunctionRun> = {}): FunctionRun => ({
  invocationId: 'i1',
  functionName: 'hello',
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: undefined,
  reason: 'because',
  startMs: 0,
  durationMs: 1,
  error: undefined,
  isSuccess: true,
  http: undefined,
  ...given,
});

const wait = insightsLimits.waitMs;

describe('ApplicationInsights', () => {
  it('gathers what comes, and sends it in one request', async () => {
    const { clock, posts, say, messages } = open();
    say('one');
    say('two');
    expect(posts).toEqual([]);
    await clock.advance(wait);
    expect(posts.map(({ url }) => url)).toEqual(['http://in.example.com/v2.1/track']);
    expect(messages()).toEqual(['one', 'two']);
  });

  it('I1, I2: loses what finds no place, counts it, and says so once', async () => {
    const { clock, sink, say, log, posts, answerWith } = open();
    answerWith(() => new Promise(() => {}));
    for (let item = 0; item < insightsLimits.maxItems + insightsLimits.maxItemsPerRequest + 7; item += 1) {
      say(`line ${item}`);
      if (item === 0) await clock.advance(wait);
    }
    expect(posts).toHaveLength(1);
    expect(sink.dropped).toBeGreaterThan(0);
    expect(log.records).toHaveLength(1);
    const { dropped } = sink;
    for (let item = 0; item < 300; item += 1) say('x'.repeat(32_000));
    expect(sink.dropped).toBe(dropped + 300);
  });

  it('I2: the queue is bounded in bytes, too', () => {
    const { sink, say } = open();
    for (let item = 0; item < 1_000; item += 1) say('x'.repeat(32_000));
    expect(sink.dropped).toBeGreaterThan(500);
  });

  it('I3: sends again what the service had no time for, and only that', async () => {
    const { clock, posts, say, messages, answerWith, log } = open();
    const errors = [{ index: 1, statusCode: 500 }];
    answerWith(async () => ({ status: 206, retryAfter: undefined, body: JSON.stringify({ errors }) }));
    for (const text of ['one', 'two', 'three']) say(text);
    await clock.advance(wait);
    answerWith(async () => taken);
    await clock.advance(10_000);
    expect(posts).toHaveLength(2);
    expect(messages()).toEqual(['one', 'two', 'three', 'two']);
    expect(log.records).toHaveLength(1);
  });

  it('I3: tries again later and later, and no sooner than it is told', async () => {
    const { clock, posts, say, messages, answerWith } = open();
    answerWith(async () => ({ status: 429, retryAfter: '60', body: '' }));
    say('one');
    await clock.advance(wait);
    await clock.advance(59_000);
    expect(posts).toHaveLength(1);
    answerWith(() => Promise.reject(new Error('no line')));
    await clock.advance(2_000);
    say('two');
    answerWith(async () => taken);
    await clock.advance(120_000);
    expect(messages()).toEqual(['one', 'one', 'one', 'two']);
  });

  it('I3: gives up what is refused for good, and says why without the key', async () => {
    const { clock, sink, say, log, answerWith } = open();
    answerWith(async () => ({ status: 401, retryAfter: undefined, body: '' }));
    say('one');
    await clock.advance(wait);
    expect(sink.dropped).toBe(1);
    expect(log.records).toMatchObject([{ level: 'warning', fields: { reason: 'it answered 401' } }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I4: obeys the levels of host.json', async () => {
    const levels = { default: 'warning', 'Function.hello.User': 'information', 'Host.Results': 'error' } as const;
    const { clock, sink, say, messages } = open({ levels });
    say('host', { category: 'Host.General' });
    say('user', { category: 'Function.hello.User' });
    sink.ended(run());
    sink.ended(run({ functionName: 'failed', isSuccess: false }));
    sink.aggregated({
      functionName: 'hello',
      sinceMs: 0,
      count: 1,
      successes: 1,
      failures: 0,
      successRate: 100,
      averageDurationMs: 1,
      minimumDurationMs: 1,
      maximumDurationMs: 1,
    });
    await clock.advance(wait);
    expect(messages()).toEqual(['user', 'failed']);
  });

  it('I4: says which share it sends, keeps operations whole, and never samples metrics', async () => {
    const sampling: SamplingSettings = {
      maxTelemetryItemsPerSecond: 20,
      evaluationIntervalMs: 15_000,
      initialSamplingPercentage: 50,
      samplingPercentageIncreaseTimeoutMs: 1,
      samplingPercentageDecreaseTimeoutMs: 1,
      minSamplingPercentage: 0.1,
      maxSamplingPercentage: 100,
      movingAverageRatio: 1,
      types: new Set(['Trace']),
    };
    const { clock, sink, say, posts } = open({ sampling });
    for (let item = 0; item < 100; item += 1) {
      const invocationId = `i${item}`;
      const traceId = createHash('sha256').update(invocationId).digest('hex').slice(0, 32);
      sink.began(run({ invocationId, traceId }));
      say('first', { invocationId });
      say('second', { invocationId });
      sink.measured({ name: 'm', value: 1, functionName: 'hello', invocationId, properties: {} });
      sink.ended(run({ invocationId, traceId }));
    }
    await clock.advance(wait);
    const all = posts.flatMap(({ envelopes }) => envelopes);
    const of = (name: string) => all.filter((one) => one.name.endsWith(name));
    expect([of('Request').length, of('Metric').length]).toEqual([100, 100]);
    expect(new Set(of('Request').map(({ sampleRate }) => sampleRate))).toEqual(new Set([100]));
    expect(new Set(of('Message').map(({ sampleRate }) => sampleRate))).toEqual(new Set([50]));
    const perOperation = Map.groupBy(of('Message'), ({ tags }) => tags['ai.operation.id']);
    expect(new Set([...perOperation.values()].map((items) => items.length))).toEqual(new Set([2]));
    expect(perOperation.size).toBeGreaterThan(10);
    expect(perOperation.size).toBeLessThan(90);
  });

  it('I5: names the operation of what was logged before the invocation went to a worker, and right after it', async () => {
    const { clock, sink, say, posts } = open();
    say('before', { invocationId: 'i1' });
    sink.began(run());
    sink.ended(run({ error: { type: 'RangeError', message: 'too far', stack: '' }, isSuccess: false }));
    await clock.advance(wait);
    say('after', { invocationId: 'i1' });
    say('of nobody');
    await clock.advance(wait);
    const tags = posts.flatMap(({ envelopes }) => envelopes).map((one) => one.tags);
    const ids = tags.map((one) => one['ai.operation.id']);
    expect(ids).toEqual([...Array.from({ length: 4 }, () => 'a'.repeat(32)), undefined]);
    expect(tags[0]).toMatchObject({ 'ai.operation.parentId': 'b'.repeat(16), 'ai.operation.name': 'hello' });
  });

  it('I6: sends what is left at the end, and waits for nobody for long', async () => {
    const { clock, sink, say, messages, posts, answerWith } = open();
    say('one');
    await sink.close();
    expect(messages()).toEqual(['one']);
    say('two');
    expect([sink.dropped, clock.pendingTimers]).toEqual([1, 0]);

    const other = open();
    other.answerWith(() => new Promise(() => {}));
    other.say('one');
    const closed = other.sink.close();
    await other.clock.advance(insightsLimits.closeMs);
    await closed;
    expect(posts).toHaveLength(1);
    answerWith(async () => taken);
  });

  it('I6: has no timer while there is nothing to send', async () => {
    const { clock, say } = open();
    expect(clock.pendingTimers).toBe(0);
    say('one');
    await clock.advance(wait);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I7: shows the key in envelopes alone', async () => {
    const { clock, say, log, posts, answerWith } = open();
    answerWith(() => Promise.reject(new Error('no line')));
    say('one');
    await clock.advance(wait);
    expect(JSON.stringify(log.records)).not.toContain(secret);
    expect(posts[0]?.envelopes).toMatchObject([{ iKey: secret }]);
    expect(posts[0]?.url).not.toContain(secret);
  });
});
