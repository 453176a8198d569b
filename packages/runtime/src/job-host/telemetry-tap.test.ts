import type { AppTelemetry, FunctionAggregate, LogRecord } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { OpenAppTelemetry } from '../contract.ts';
import { defaultLimits } from '../limits.ts';
import { createApplication } from '../testing/sample-application.ts';
import { resolveApplication } from './resolve-application.ts';
import { TelemetryTap } from './telemetry-tap.ts';

const aggregator = { isEnabled: true, batchSize: 1_000, flushTimeoutMs: 30_000 };

/** A sink for apps that name one in the setting SINK. */
function createSinks() {
  const lines: [sink: string, record: LogRecord][] = [];
  const closed: string[] = [];
  const sums: FunctionAggregate[] = [];
  const open: OpenAppTelemetry = ({ settings }) => {
    const name = settings.get('SINK');
    if (name === undefined) return undefined;
    const sink: AppTelemetry = {
      line: (record) => void lines.push([name, record]),
      began: () => {},
      ended: () => {},
      measured: () => {},
      aggregated: (aggregate) => void sums.push(aggregate),
      close: async () => void closed.push(name),
    };
    return sink;
  };
  return { open, lines, closed, sums };
}

const app = (settings: Readonly<Record<string, string>>) =>
  resolveApplication(createApplication({ settings }), { cpus: 1, limits: defaultLimits });

describe('TelemetryTap', () => {
  it('I1: every line goes on, and to the sink with the fields of its log', () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    const { open, lines } = createSinks();
    const tap = new TelemetryTap({ clock, log, openAppTelemetry: open }, aggregator);
    tap.log.write('warning', 'before there is a sink');
    tap.follow(app({ SINK: 'first' }));
    const child = tap.log.child({ functionName: 'hello' });
    child.write('error', 'of a function', { invocationId: 'i1' });
    tap.bareLog.write('error', 'past the sink');
    expect(log.records.map(({ message }) => message)).toEqual([
      'before there is a sink',
      'of a function',
      'past the sink',
    ]);
    const fields = { functionName: 'hello', invocationId: 'i1' };
    expect(lines).toEqual([['first', { timeMs: clock.now(), level: 'error', message: 'of a function', fields }]]);
  });

  it('I1: an app without a sink, or a host that opens none, loses nothing', () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    expect(new TelemetryTap({ clock, log }, aggregator).log).toBe(log);
    const tap = new TelemetryTap({ clock, log, openAppTelemetry: createSinks().open }, aggregator);
    tap.follow(app({}));
    expect(tap.isOpen).toBe(false);
    tap.log.write('warning', 'a line');
    expect(log.records).toHaveLength(1);
  });

  it('I2: what functions did is told to the log and to the sink, at the latest at the end', async () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    const { open, sums } = createSinks();
    const tap = new TelemetryTap({ clock, log, openAppTelemetry: open }, aggregator);
    tap.follow(app({ SINK: 'first' }));
    tap.results.add('hello', 2, true);
    expect(sums).toEqual([]);
    await tap.close();
    expect(sums).toMatchObject([{ functionName: 'hello', count: 1, successRate: 100 }]);
    expect(log.records).toMatchObject([{ level: 'information', fields: { category: 'Host.Aggregator', count: 1 } }]);
  });

  it('I3: a version that joins brings its own sink, and the one before ends', async () => {
    const clock = new VirtualClock();
    const { open, lines, closed } = createSinks();
    const tap = new TelemetryTap({ clock, log: createMemoryLog(clock), openAppTelemetry: open }, aggregator);
    const { log } = tap;
    tap.follow(app({ SINK: 'first' }));
    log.write('warning', 'one');
    tap.follow(app({ SINK: 'second' }));
    log.write('warning', 'two');
    expect(lines.map(([sink, { message }]) => [sink, message])).toEqual([
      ['first', 'one'],
      ['second', 'two'],
    ]);
    expect(closed).toEqual(['first']);
    await tap.close();
    expect(closed).toEqual(['first', 'second']);
  });
});
