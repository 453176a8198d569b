import type { TelemetryMetric } from '@switchyard/kernel';
import { RpcLog, RpcLog_Level, RpcLog_RpcLogCategory, type TypedData } from '@switchyard/protocol';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { createReadyWorker, SampleCall } from '../testing/sample-worker.ts';
import { LogRelay } from './log-relay.ts';

function createRelay(capabilities: readonly string[] = []) {
  const log = createMemoryLog();
  const bareLog = createMemoryLog();
  const measured: TelemetryMetric[] = [];
  const observed: [string, number, Readonly<Record<string, string>>][] = [];
  const meter = {
    count: () => {},
    gauge: () => {},
    observe: (name: string, value: number, labels: Readonly<Record<string, string>> = {}) => {
      observed.push([name, value, labels]);
    },
  };
  const relay = new LogRelay(log, meter, {
    applicationId: 'sample',
    maxMetricNames: 2,
    telemetry: { bareLog, measured: (metric) => void measured.push(metric) },
  });
  const { worker } = createReadyWorker({ workerId: 'w1', capabilities });
  worker.inFlight.add(new SampleCall('i1'));
  const send = (line: Partial<RpcLog>): void => relay.relay(worker, { ...RpcLog.decode(new Uint8Array()), ...line });
  return { log, bareLog, measured, observed, worker, send };
}

describe('LogRelay', () => {
  test('writes a line of an invocation under its function', () => {
    const { log, send } = createRelay();
    send({ invocationId: 'i1', message: 'hello', level: RpcLog_Level.Warning });
    expect(log.records).toMatchObject([
      {
        level: 'warning',
        message: 'hello',
        fields: { category: 'Function.Hello.User', functionName: 'Hello', invocationId: 'i1', workerId: 'w1' },
      },
    ]);
  });

  test('loses no line: one of an invocation that is over, or of none, keeps its worker', () => {
    const { log, send } = createRelay();
    send({ invocationId: 'gone', message: 'late' });
    send({ message: 'at the start' });
    expect(log.records.map(({ message, fields }) => [message, fields])).toEqual([
      ['late', { category: 'Host.Function.Console', workerId: 'w1', invocationId: 'gone' }],
      ['at the start', { category: 'Host.Function.Console', workerId: 'w1' }],
    ]);
  });

  test.each(Object.entries(RpcLog_Level))('level %s', (name, level) => {
    const { log, send } = createRelay();
    send({ message: 'x', level });
    expect(log.records[0]?.level).toBe(name === 'None' ? 'information' : name.toLowerCase());
  });

  test("writes the worker's own lines under its category, with its exception", () => {
    const { log, send } = createRelay();
    const exception = { source: '', stackTrace: 'Error: x\n at y', message: 'x', isUserException: false, type: '' };
    send({ message: 'loading', logCategory: RpcLog_RpcLogCategory.System, level: RpcLog_Level.Debug, exception });
    expect(log.records).toMatchObject([
      { level: 'debug', fields: { category: 'Worker.LanguageWorkerChannel.unknown.w1', exception: 'Error: x\n at y' } },
    ]);
  });

  test('leaves lines to a worker that sends them itself', () => {
    const { log, bareLog, send } = createRelay(['WorkerApplicationInsightsLoggingEnabled']);
    send({ invocationId: 'i1', message: 'of a function' });
    send({ message: 'of the worker', logCategory: RpcLog_RpcLogCategory.System });
    expect([bareLog, log].map(({ records }) => records.map(({ message }) => message))).toEqual([
      ['of a function'],
      ['of the worker'],
    ]);
  });

  test('hands custom metrics on with their function and what else they say', () => {
    const { measured, send } = createRelay();
    const text = (value: string): TypedData => ({ data: { $case: 'string', value } });
    const propertiesMap = new Map<string, TypedData>([
      ['Name', text('sold')],
      ['Value', { data: { $case: 'double', value: 3 } }],
      ['shop', text('north')],
      ['empty', { data: undefined }],
    ]);
    send({ invocationId: 'i1', logCategory: RpcLog_RpcLogCategory.CustomMetric, propertiesMap });
    expect(measured).toEqual([
      { name: 'sold', value: 3, functionName: 'Hello', invocationId: 'i1', properties: { shop: 'north' } },
    ]);
  });

  test('turns custom metrics into measurements, with a limited number of names', () => {
    const { log, observed, send } = createRelay();
    const metric = (name: string, value: TypedData): Partial<RpcLog> => ({
      invocationId: 'i1',
      logCategory: RpcLog_RpcLogCategory.CustomMetric,
      propertiesMap: new Map([
        ['Name', { data: { $case: 'string', value: name } }],
        ['Value', value],
      ]),
    });
    send(metric('a', { data: { $case: 'double', value: 1.5 } }));
    send(metric('b', { data: { $case: 'int', value: 2n } }));
    send(metric('c', { data: { $case: 'double', value: 3 } }));
    send(metric('a', { data: { $case: 'double', value: 4 } }));
    send(metric('', { data: { $case: 'double', value: 5 } }));
    send(metric('a', { data: undefined }));
    expect(observed.map(([, value, { name }]) => [name, value])).toEqual([
      ['a', 1.5],
      ['b', 2],
      ['other', 3],
      ['a', 4],
    ]);
    expect(observed[0]).toEqual(['function_custom_metric_value', 1.5, { app: 'sample', function: 'Hello', name: 'a' }]);
    expect(log.records).toEqual([]);
  });
});
