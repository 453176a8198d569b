import type { Span } from '@switchyard/kernel';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';

async function createRun(onInvocation: NonNullable<Parameters<typeof createFakeWorker>[1]['onInvocation']>) {
  const clock = new VirtualClock();
  const spans: Span[] = [];
  const harness = createHarness({
    clock,
    random: createSeededRandom(1),
    log: createMemoryLog(),
    spans: { ended: (span) => spans.push(span) },
  });
  const added = harness.runtime.addApplication(createApplication());
  const worker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [{ name: 'web' }],
    onInvocation,
  });
  await added;
  const ask = (flags: string) =>
    call(harness.runtime, '/api/web', { headers: { traceparent: `00-${traceId}-${callerSpan}-${flags}` } }).reply;
  return { spans, worker, ask };
}

describe('the span of an invocation', () => {
  test('stands between the caller’s and what the worker does', async () => {
    const { spans, worker, ask } = await createRun(() => invocationSuccess());
    await ask('01');
    const [span] = spans;
    const { invocationId, traceContext } = await worker.first('invocationRequest');
    expect(span).toMatchObject({
      traceId,
      parentSpanId: callerSpan,
      name: 'web',
      kind: 'server',
      isError: false,
      attributes: { 'faas.name': 'web', 'faas.trigger': 'http', 'faas.invocation_id': invocationId },
    });
    expect(traceContext?.traceParent).toBe(`00-${traceId}-${span?.spanId}-01`);
    expect(spans).toHaveLength(1);
    expect(span?.endMs).toBeGreaterThanOrEqual(span?.startMs ?? Number.POSITIVE_INFINITY);
  });

  test('says that the function failed', async () => {
    const { spans, ask } = await createRun(() => {
      throw new Error('no');
    });
    await ask('01');
    expect(spans).toMatchObject([{ isError: true }]);
  });

  test('is nobody’s business when the caller wants no trace', async () => {
    const { spans, worker, ask } = await createRun(() => invocationSuccess());
    await ask('00');
    await worker.first('invocationRequest');
    expect(spans).toEqual([]);
  });
});
