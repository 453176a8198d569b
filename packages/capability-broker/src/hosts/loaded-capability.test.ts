import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { Spans } from '../tracing/spans.ts';
import type { CallContext, CapabilityInstance } from './capability-module.ts';
import { LoadedCapability } from './loaded-capability.ts';

const order = {
  ...{ key: 'a@1.0.0', name: 'a', version: '1.0.0', shard: 'a:shard-0', kind: 'thread', entry: 'a.mjs', config: {} },
  ...{ statePath: null, idempotentMethods: [] },
  limits: { maxConcurrentCalls: 2, maxPayloadBytes: 1_000, maxExecutionMs: 5_000 },
};

function open(methods: CapabilityInstance['methods'], rest: Partial<CapabilityInstance> = {}, maxConcurrentCalls = 2) {
  const clock = new VirtualClock();
  const spans = new Spans({ clock, random: createSeededRandom(1) });
  const loaded = new LoadedCapability(
    { clock, spans },
    { ...order, limits: { ...order.limits, maxConcurrentCalls } },
    { methods, ...rest },
  );
  const asked: unknown[] = [];
  const other = { invoke: (...call: unknown[]) => asked.push(call) };
  const target = loaded.open({ key: order.key, leaseId: 'l1', account: 'x', ticket: '' }, { other });
  const invoke = async (...[method, parameters = [], options]: [string, unknown[]?, object?]): Promise<unknown> =>
    target.invoke(method, parameters, options);
  return { clock, loaded, invoke, spans, asked, target };
}

const forever = (): Promise<never> => new Promise(() => {});

test('I1: a released lease answers RELEASED, and its running calls stop', async () => {
  const signals: AbortSignal[] = [];
  const ended: string[] = [];
  const wait = (call: CallContext): Promise<never> => {
    signals.push(call.signal);
    return forever();
  };
  const { loaded, invoke } = open({ wait }, { leaseEnded: (leaseId, account) => ended.push(`${leaseId} ${account}`) });
  const pending = invoke('wait');
  expect([loaded.end('l1'), loaded.end('l1')]).toEqual([true, false]);
  await expect(pending).rejects.toMatchObject({ code: 'RELEASED' });
  await expect(invoke('wait')).rejects.toMatchObject({ code: 'RELEASED' });
  expect(signals[0]?.aborted).toBe(true);
  expect(ended).toEqual(['l1 x']);
});

test('I2: the call beyond the limit fails, and a free place is used again', async () => {
  const { clock, invoke, loaded } = open({ wait: forever, now: async () => 1 });
  const waiting = [invoke('wait'), invoke('wait')].map((call) => call.catch(() => 'late'));
  await expect(invoke('now')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  await clock.advance(5_000);
  expect(await Promise.all(waiting)).toEqual(['late', 'late']);
  expect(await invoke('now')).toBe(1);
  expect(loaded.counts).toEqual({ calls: 3, failures: 2, timeouts: 2, inFlight: 0 });
});

test('I3: the shorter of the two limits ends a call', async () => {
  let signal: AbortSignal | undefined;
  const { clock, invoke } = open({
    wait: (call: CallContext) => {
      signal = call.signal;
      return forever();
    },
  });
  const short = invoke('wait', [], { timeoutMs: 10 });
  const failed = expect(short).rejects.toMatchObject({ code: 'TIMEOUT' });
  await clock.advance(10);
  await failed;
  expect(signal?.aborted).toBe(true);
  const long = invoke('wait', [], { timeoutMs: 60_000 });
  const failedToo = expect(long).rejects.toThrow('more than 5000 ms');
  await clock.advance(5_000);
  await failedToo;
});

test('I4: parameters and results that cannot travel are refused', async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const { invoke } = open({
    echo: (_call: CallContext, value: unknown) => value,
    cycle: () => cycle,
    map: async () => new Map(),
  });
  await expect(invoke('echo', ['x'.repeat(2_000)])).rejects.toThrow(
    "The parameters of 'echo' cannot be used: it is larger",
  );
  await expect(invoke('cycle')).rejects.toThrow("The result of 'cycle' cannot be used: it contains itself");
  await expect(invoke('map')).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  await expect(invoke('echo', 'no list' as never)).rejects.toThrow('they are no list');
});

test.each(['constructor', '__proto__', 'toString', 'text', 'nothing', 5])('I5: %s cannot be called', async (name) => {
  const { invoke } = open({ good: () => 1, text: 'x' as never });
  await expect(invoke(name as string)).rejects.toThrow('It has: good.');
});

test('I6: one key of one account runs once, and a failed call may be sent again', async () => {
  let runs = 0;
  const { loaded, invoke } = open({
    count: async () => {
      runs += 1;
      if (runs === 1) throw new Error('first');
      return runs;
    },
  });
  await expect(invoke('count', [], { idempotencyKey: 'k' })).rejects.toThrow('first');
  expect(await invoke('count', [], { idempotencyKey: 'k' })).toBe(2);
  expect(await invoke('count', [], { idempotencyKey: 'k' })).toBe(2);
  expect(await invoke('count', [], { idempotencyKey: 'other' })).toBe(3);
  const other = loaded.open({ key: order.key, leaseId: 'l2', account: 'y', ticket: '' }, {});
  expect(await other.invoke('count', [], { idempotencyKey: 'k' })).toBe(4);
});

test('I7: what a method throws arrives with its message and code', async () => {
  const { invoke } = open({
    now: () => {
      throw new Error('broken');
    },
    later: async () => {
      throw 'text';
    },
  });
  await expect(invoke('now')).rejects.toMatchObject({
    code: 'CAPABILITY_FAILED',
    message: "'now' of 'a' failed: broken",
  });
  await expect(invoke('later')).rejects.toThrow("'later' of 'a' failed: text");
});

test('closing ends the leases and disposes of the instance', async () => {
  let disposed = 0;
  const { loaded, invoke } = open(
    { now: () => 1 },
    {
      dispose: () => {
        disposed += 1;
      },
    },
  );
  await loaded.close();
  expect(disposed).toBe(1);
  await expect(invoke('now')).rejects.toMatchObject({ code: 'RELEASED' });
});

test('I8: a traced call is a span, and what it asks of others belongs to it', async () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${trace}-b7ad6b7169203331-01`;
  const { invoke, spans, asked } = open({
    ask: async (call) => call.dependencies.other?.invoke('hello', [1]),
    trace: (call) => call.traceparent,
    fail: () => {
      throw new Error('x');
    },
  });
  await invoke('ask', [], { traceparent });
  const seen = await invoke('trace', [], { traceparent });
  await invoke('fail', [], { traceparent }).catch(() => {});
  await invoke('ask');
  const taken = spans.take();
  expect(taken.map(({ name, error, traceId }) => [name, error, traceId])).toEqual([
    ['a.ask', '', trace],
    ['a.trace', '', trace],
    ['a.fail', 'CAPABILITY_FAILED', trace],
  ]);
  expect(new Set(taken.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set(['b7ad6b7169203331']));
  expect(seen).toBe(`00-${trace}-${taken[1]?.spanId}-01`);
  expect(asked).toEqual([
    ['hello', [1], { traceparent: `00-${trace}-${taken[0]?.spanId}-01` }],
    ['hello', [1]],
  ]);
});

test('I9: a running call is cancelled by its id, and nothing else is', async () => {
  const signals: AbortSignal[] = [];
  const wait = (call: CallContext): Promise<never> => {
    signals.push(call.signal);
    return forever();
  };
  const { invoke, loaded, target } = open({ wait });
  const other = loaded.open({ key: order.key, leaseId: 'l2', account: 'x', ticket: '' }, {});
  const calls = ['one', 'two'].map((callId) => invoke('wait', [], { callId }));
  other.cancel?.('one');
  target.cancel?.('three');
  target.cancel?.('__proto__');
  expect(loaded.counts.inFlight).toBe(2);
  target.cancel?.('one');
  await expect(calls[0]).rejects.toMatchObject({ code: 'CANCELLED' });
  expect([signals.map(({ aborted }) => aborted), loaded.counts.inFlight]).toEqual([[true, false], 1]);
  target.cancel?.('one');
  loaded.end('l1');
  await expect(calls[1]).rejects.toMatchObject({ code: 'RELEASED' });
});

test('I2: one account leaves a quarter of the calls to others', async () => {
  const { invoke, loaded } = open({ wait: forever, now: async () => 1 }, {}, 4);
  const waiting = Array.from({ length: 3 }, () => invoke('wait').catch(() => 'ended'));
  await expect(invoke('now')).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringContaining('3 calls of one account'),
  });
  const other = loaded.open({ key: order.key, leaseId: 'l2', account: 'y', ticket: '' }, {});
  expect(await other.invoke('now', [])).toBe(1);
  loaded.end('l1');
  expect(await Promise.all(waiting)).toEqual(['ended', 'ended', 'ended']);
  expect(await other.invoke('now', [])).toBe(1);
});
