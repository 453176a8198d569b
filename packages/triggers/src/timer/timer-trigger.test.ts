import { describe, expect, it } from 'vitest';
import { createMemoryTimerStatus } from '../testing/memory-timer-status.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import type { TimerOptions } from './timer-listener.ts';
import { createTimerTrigger } from './timer-trigger.ts';

const kind = createTimerTrigger({ status: createMemoryTimerStatus() });

function parse(raw: Record<string, unknown>, settings: Record<string, string> = {}): TimerOptions {
  return kind.parse(createBinding({ name: 'timer', type: 'timerTrigger', ...raw }), createScope({ settings }));
}

describe('createTimerTrigger', () => {
  it.each([
    ['0 */5 * * * *', 'cron'],
    ['*/5 * * * *', 'cron'],
    ['00:05:00', 'interval'],
    [' 1.00:00:00 ', 'interval'],
  ])('reads %o as %s', (schedule, expected) => {
    expect(parse({ schedule })).toMatchObject({
      schedule: { kind: expected },
      runOnStartup: false,
      useMonitor: true,
      zone: { ianaName: 'UTC' },
    });
  });

  it('fills in settings', () => {
    expect(parse({ schedule: '%WHEN%' }, { WHEN: '00:00:30' }).schedule).toMatchObject({ intervalMs: 30_000 });
    expect(() => parse({ schedule: '%WHEN%' })).toThrow(/WHEN/);
  });

  it('reads flags as truth values or texts', () => {
    const options = parse({ schedule: '00:05:00', runOnStartup: 'True', useMonitor: false });
    expect(options).toMatchObject({ runOnStartup: true, useMonitor: false });
  });

  it('prefers WEBSITE_TIME_ZONE to TZ and shares zones', () => {
    const settings = { TZ: 'Asia/Tokyo', WEBSITE_TIME_ZONE: 'Europe/Berlin' };
    const options = parse({ schedule: '00:05:00' }, settings);
    expect(options.zone.ianaName).toBe('Europe/Berlin');
    expect(parse({ schedule: '00:06:00' }, settings).zone).toBe(options.zone);
    expect(parse({ schedule: '00:05:00' }, { TZ: 'Asia/Tokyo' }).zone.ianaName).toBe('Asia/Tokyo');
  });

  it.each([
    [{}, /Hello.*"schedule" is missing.*"0 \*\/5 \* \* \* \*"/],
    [{ schedule: 5 }, /"schedule" is 5/],
    [{ schedule: ' ' }, /"schedule" is " "/],
    [{ schedule: 'every day' }, /Hello.*'timer'.*'every day' cannot be read.*"00:05:00"/],
    [{ schedule: '0 0 0 30 2 *' }, /date that never comes/],
    [{ schedule: '61 * * * * *' }, /'61 \* \* \* \* \*' cannot be read/],
    [{ schedule: '00:00:00' }, /'00:00:00' cannot be read/],
    [{ schedule: '00:05:00', runOnStartup: 'perhaps' }, /"runOnStartup" is "perhaps"/],
  ])('refuses %o and says why', (raw, message) => {
    expect(() => parse(raw)).toThrow(message);
  });

  it('names an unknown time zone and its setting', () => {
    expect(() => parse({ schedule: '00:05:00' }, { TZ: 'Mars/Base' })).toThrow(/'Mars\/Base' of the setting 'TZ'/);
  });
});
