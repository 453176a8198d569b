import { describe, expect, it } from 'vitest';
import { createMemoryMeter } from './memory-meter.ts';
import { toPrometheusText } from './prometheus-text.ts';

describe('toPrometheusText', () => {
  it('writes counters, gauges and summaries, each family once', () => {
    const meter = createMemoryMeter();
    meter.count('invocations_completed', 2, { app: 'shop', outcome: 'succeeded' });
    meter.count('invocations_completed', 1, { app: 'shop', outcome: 'failed' });
    meter.gauge('workers_ready_count', 3);
    meter.observe('start_ms', 5);
    meter.observe('start_ms', 7);
    expect(toPrometheusText(meter.snapshot()).split('\n')).toEqual([
      '# TYPE switchyard_invocations_completed_total counter',
      'switchyard_invocations_completed_total{app="shop",outcome="failed"} 1',
      'switchyard_invocations_completed_total{app="shop",outcome="succeeded"} 2',
      '# TYPE switchyard_start_ms summary',
      'switchyard_start_ms_sum 12',
      'switchyard_start_ms_count 2',
      '# TYPE switchyard_workers_ready_count gauge',
      'switchyard_workers_ready_count 3',
      '# TYPE switchyard_measurements_dropped_total counter',
      'switchyard_measurements_dropped_total 0',
      '',
    ]);
  });

  it('escapes what labels may hold, and names what is no number', () => {
    const meter = createMemoryMeter();
    meter.gauge('odd', Number.POSITIVE_INFINITY, { text: 'a "b"\\\n' });
    expect(toPrometheusText(meter.snapshot())).toContain('switchyard_odd{text="a \\"b\\"\\\\\\n"} +Inf\n');
  });
});
