import type { FunctionRun } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { toAggregateMetrics, toDuration, toEnvelope, toException, toRequest, toTrace } from './envelope.ts';

const source = { instrumentationKey: 'key', role: 'shop', roleInstance: 'one', version: '1.0.0' };
const run: FunctionRun = {
  invocationId: 'i1',
  functionName: 'hello',
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  reason: 'because',
  startMs: 1_000,
  durationMs: 12.5,
  error: undefined,
  isSuccess: true,
  http: { method: 'GET', url: 'http://shop.localhost/api/hello?code=secret&x=1', statusCode: 201 },
};

describe('toRequest', () => {
  it('is a request of the official host, in its part of the trace', () => {
    const operation = { traceId: run.traceId, parentId: run.parentSpanId, name: run.functionName };
    expect(toEnvelope(toRequest(run), operation, source, 25)).toEqual({
      ver: 1,
      name: 'Microsoft.ApplicationInsights.Request',
      time: '1970-01-01T00:00:01.000Z',
      sampleRate: 25,
      iKey: 'key',
      tags: {
        'ai.cloud.role': 'shop',
        'ai.cloud.roleInstance': 'one',
        'ai.internal.sdkVersion': 'switchyard:1.0.0',
        'ai.location.ip': '0.0.0.0',
        'ai.operation.id': 'a'.repeat(32),
        'ai.operation.parentId': 'c'.repeat(16),
        'ai.operation.name': 'hello',
      },
      data: {
        baseType: 'RequestData',
        baseData: {
          ver: 2,
          id: 'b'.repeat(16),
          name: 'hello',
          duration: '00:00:00.0125000',
          success: true,
          responseCode: '201',
          url: 'http://shop.localhost/api/hello?code=***&x=1',
          properties: {
            Category: 'Host.Results',
            LogLevel: 'Information',
            InvocationId: 'i1',
            FullName: 'Functions.hello',
            TriggerReason: 'because',
            FunctionExecutionTimeMs: '12.5',
            HttpMethod: 'GET',
            HttpPath: '/api/hello',
          },
        },
      },
    });
  });

  it('of an event has no address, and the code 0', () => {
    const { baseData } = toRequest({ ...run, http: undefined, isSuccess: false });
    expect(baseData).toMatchObject({ responseCode: '0', success: false, properties: { LogLevel: 'Error' } });
    expect(baseData).not.toHaveProperty('url');
  });
});

describe('texts', () => {
  it('are as long as the service takes them', () => {
    const long = 'x'.repeat(40_000);
    const trace = toTrace(0, { level: 'warning', text: long, properties: { [long]: long, empty: '' } });
    expect(trace.baseData).toEqual({
      message: 'x'.repeat(32_768),
      severityLevel: 2,
      properties: { ['x'.repeat(150)]: 'x'.repeat(8_192) },
    });
    const error = toException(0, { type: '', message: '', stack: long }, { level: 'critical', properties: {} });
    const [exception] = error.baseData.exceptions as unknown[];
    expect(exception).toEqual({
      typeName: 'Error',
      message: 'No message',
      hasFullStack: false,
      stack: 'x'.repeat(32_768),
    });
  });
});

it.each([
  [0, '00:00:00.0000000'],
  [1.5, '00:00:00.0015000'],
  [61_001, '00:01:01.0010000'],
  [90_061_000, '1.01:01:01.0000000'],
  [-1, '00:00:00.0000000'],
])('%d milliseconds are %s', (durationMs, text) => {
  expect(toDuration(durationMs)).toBe(text);
});

it('sums are metrics with the official names', () => {
  const metrics = toAggregateMetrics(5, {
    functionName: 'hello',
    sinceMs: 0,
    count: 4,
    successes: 3,
    failures: 1,
    successRate: 75,
    averageDurationMs: 2,
    minimumDurationMs: 1,
    maximumDurationMs: 3,
  }).flatMap(({ baseData }) => baseData.metrics as { name: string; value: number }[]);
  expect(Object.fromEntries(metrics.map(({ name, value }) => [name, value]))).toEqual({
    'hello Count': 4,
    'hello Successes': 3,
    'hello Failures': 1,
    'hello SuccessRate': 75,
    'hello MinDurationMs': 1,
    'hello MaxDurationMs': 3,
    'hello AvgDurationMs': 2,
  });
});
