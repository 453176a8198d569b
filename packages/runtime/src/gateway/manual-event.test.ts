import { describe, expect, test } from 'vitest';
import { toManualEvent } from './manual-event.ts';

describe('toManualEvent', () => {
  test('gives the input as text', () => {
    expect(toManualEvent('queueTrigger', 'hello')).toEqual({
      data: { data: { $case: 'string', value: 'hello' } },
      metadata: new Map(),
      reason: 'This function was programmatically called via the host APIs.',
    });
  });

  test('gives a timer its payload, whatever the input', () => {
    const { data } = toManualEvent('TimerTrigger', 'x');
    expect(data.data?.$case).toBe('json');
    expect(JSON.parse(String(data.data?.value))).toEqual({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: null,
      IsPastDue: false,
    });
  });
});
