import { describe, expect, it } from 'vitest';
import { createMemoryMeter } from './memory-meter.ts';

describe('createMemoryMeter', () => {
  it('adds to counters, sets gauges and sums distributions up', () => {
    const meter = createMemoryMeter();
    meter.count('requests_total');
    meter.count('requests_total', 4);
    meter.gauge('workers', 2);
    meter.gauge('workers', 1);
    for (const value of [5, 1, 3]) meter.observe('latency_ms', value);
    expect(meter.snapshot()).toEqual({
      series: [
        { kind: 'distribution', name: 'latency_ms', labels: {}, count: 3, sum: 9, minimum: 1, maximum: 5 },
        { kind: 'counter', name: 'requests_total', labels: {}, value: 5 },
        { kind: 'gauge', name: 'workers', labels: {}, value: 1 },
      ],
      dropped: 0,
    });
  });

  it('I1: tells series by name and labels, whatever the order of the labels', () => {
    const meter = createMemoryMeter();
    meter.count('requests_total', 1, { app: 'shop', code: '200' });
    meter.count('requests_total', 1, { code: '200', app: 'shop' });
    meter.count('requests_total', 1, { code: '500', app: 'shop' });
    expect(meter.snapshot().series).toMatchObject([{ value: 2 }, { value: 1 }]);
  });

  it('I1: is not fooled by what stands in a label', () => {
    const meter = createMemoryMeter();
    meter.count('requests_total', 1, { app: 'shop\u0000code\u0000200' });
    meter.count('requests_total', 1, { app: 'shop', code: '200' });
    expect(meter.snapshot().series).toHaveLength(2);
  });

  it('I2: keeps no more series than it may, and counts what it drops', () => {
    const meter = createMemoryMeter(2);
    for (const user of ['a', 'b', 'c', 'd']) meter.count('requests_total', 1, { user });
    meter.count('requests_total', 1, { user: 'a' });
    expect(meter.snapshot()).toMatchObject({ series: [{ value: 2 }, { value: 1 }], dropped: 2 });
  });

  it('I3: a snapshot stays as it was', () => {
    const meter = createMemoryMeter();
    meter.count('requests_total');
    const before = meter.snapshot();
    meter.count('requests_total');
    expect(before.series).toMatchObject([{ value: 1 }]);
  });
});
