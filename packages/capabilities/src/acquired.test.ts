import { expect, test } from 'vitest';
import { AcquiredCapabilities, type AcquiredParts } from './acquired.ts';

function open(change: Partial<AcquiredParts> = {}) {
  const calls: unknown[][] = [];
  const time = { nowMs: 0 };
  const lease = {
    ...{ name: 'probe', version: '1.0.0', shard: 'probe:shard-0', tier: 1 as const, expiresAtMs: 1_000 },
    invoke: async (...call: unknown[]) => calls.push(call),
    cancel: async (...call: unknown[]) => calls.push(['cancel', ...call]),
    renew: async () => {
      calls.push(['renew']);
      return time.nowMs + 1_000;
    },
    release: async () => void calls.push(['release']),
  };
  const parts = {
    success: true,
    leases: [lease],
    missing: [],
    failures: [],
    warnings: [],
    traceparent: () => undefined,
  };
  return { calls, time, acquired: new AcquiredCapabilities({ ...parts, now: () => time.nowMs, ...change }) };
}

test('I1: get gives a binding, and throws why there is none', async () => {
  const { acquired, calls } = open();
  expect([acquired.acquired, acquired.missing, acquired.errors.size]).toEqual([['probe'], [], 0]);
  expect(acquired.endpoints).toBeInstanceOf(Map);
  await acquired.get('probe').query?.('select ?', [1]);
  await acquired.handles.get('probe')?.invoke('query', [], { timeoutMs: 5 });
  expect(calls).toEqual([
    ['query', ['select ?', [1]], {}],
    ['query', [], { timeoutMs: 5 }],
  ]);
  expect(() => acquired.get('other')).toThrow("'other' was not asked for");
  const failures = [{ name: 'x', code: 'VERSION_MISMATCH', message: 'too old', retryable: false }];
  const failed = open({ success: false, leases: [], failures, missing: ['x', 'y'] }).acquired;
  expect(() => failed.get('x')).toThrow('too old');
  expect(() => failed.get('y')).toThrow("'x' was not to be had, so nothing was: too old");
  expect(failed.errors.get('x')).toBe('VERSION_MISMATCH: too old');
});

test('a binding is no promise, has no symbols, and cannot be changed', async () => {
  const binding = open().acquired.get('probe');
  expect(await binding).toBe(binding);
  expect(Reflect.set(binding, 'query', 1)).toBe(false);
  expect(binding.query).toBe(binding.query);
});

test('I2: after release nothing can be called, and the lease is given back once', async () => {
  const { acquired, calls } = open();
  const binding = acquired.get('probe');
  await acquired.release();
  await acquired[Symbol.asyncDispose]();
  await expect(binding.query?.()).rejects.toMatchObject({ code: 'RELEASED' });
  expect(calls).toEqual([['release']]);
});

test('I3: a lease in use is renewed at half of its time, once', async () => {
  const { acquired, calls, time } = open();
  const { query } = acquired.get('probe');
  await query?.();
  time.nowMs = 600;
  await Promise.all([query?.(), query?.()]);
  expect(calls.filter(([name]) => name === 'renew')).toHaveLength(1);
  expect(acquired.expiresAtMs).toBe(1_600);
  time.nowMs = 1_000;
  await query?.();
  time.nowMs = 1_200;
  await query?.();
  expect(calls.filter(([name]) => name === 'renew')).toHaveLength(2);
});

test('calls carry the trace context of the acquire, unless they have their own', async () => {
  const { acquired, calls } = open({ traceparent: () => '00-a-b-01' });
  await acquired.get('probe').query?.();
  await acquired.handles.get('probe')?.invoke('query', [], { traceparent: '00-c-d-01' });
  expect(calls.map(([, , options]) => options)).toEqual([{ traceparent: '00-a-b-01' }, { traceparent: '00-c-d-01' }]);
});

test('I4: a call whose signal aborts fails at once and is cancelled; one that is over is not', async () => {
  const { acquired, calls } = open();
  const handle = acquired.handles.get('probe');
  const over = new AbortController();
  await handle?.invoke('query', [], { signal: over.signal, timeoutMs: 5 });
  over.abort();
  expect(calls).toEqual([['query', [], { timeoutMs: 5, callId: expect.stringMatching(/^call-\d+$/) }]]);
  await expect(handle?.invoke('query', [], { signal: over.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(calls).toHaveLength(1);
  const running = new AbortController();
  const lease = { name: 'slow', version: '1.0.0', shard: 's', tier: 1 as const, expiresAtMs: 1_000 };
  const told: unknown[] = [];
  const slow = open({
    leases: [
      {
        ...lease,
        invoke: () => new Promise(() => {}),
        cancel: async (callId) => told.push(callId),
        renew: async () => 0,
        release: async () => {},
      },
    ],
  }).acquired.handles.get('slow');
  const call = slow?.invoke('wait', [], { signal: running.signal });
  running.abort();
  await expect(call).rejects.toMatchObject({ code: 'CANCELLED', retryable: false });
  expect(told).toEqual([expect.stringMatching(/^call-\d+$/)]);
});
