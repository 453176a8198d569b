/** The timer trigger: schedules in the app's time zone, with a status that survives restarts. */
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { type BindingMetadata, createTimeZone, parseSchedule, type Schedule, type TimeZone } from '@switchyard/model';
import type { BindingScope, ListenerTriggerKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { TimerListener, type TimerOptions } from './timer-listener.ts';
import type { TimerStatusStore } from './timer-status-store.ts';

/** Time zones kept for sharing; apps rarely use more than one. */
const maxZones = 64;

/** The settings that name the app's time zone, in the order of precedence. */
const zoneSettings: readonly string[] = ['WEBSITE_TIME_ZONE', 'TZ'];

/** Makes the timer trigger. Statuses are kept in `status`. */
export function createTimerTrigger(deps: { readonly status: TimerStatusStore }): ListenerTriggerKind<TimerOptions> {
  const zones = new Map<string, TimeZone>();
  return {
    style: 'listener',
    type: 'timerTrigger',
    parse: (binding, scope) => ({
      schedule: parseTimerSchedule(binding, scope),
      zone: parseZone(binding, scope, zones),
      runOnStartup: parseFlag('runOnStartup', false, binding, scope),
      useMonitor: parseFlag('useMonitor', true, binding, scope),
    }),
    listen: (options, context) => new TimerListener({ context, status: deps.status }, options),
  };
}

function parseTimerSchedule(binding: BindingMetadata, scope: BindingScope): Schedule {
  const value = binding.raw.schedule;
  const details = { function: scope.function.name, binding: binding.name };
  if (typeof value !== 'string' || value.trim() === '') {
    throw triggerErrors.create('TIMER_SCHEDULE_MISSING', { ...details, value: JSON.stringify(value) ?? 'missing' });
  }
  const text = scope.settings.expand(value, `"schedule" of function '${scope.function.name}'`).trim();
  const invalid = (reason: string, cause?: unknown): Error =>
    triggerErrors.create('TIMER_SCHEDULE_INVALID', { ...details, value: text, reason }, cause);
  let schedule: Schedule;
  try {
    schedule = parseSchedule(text);
  } catch (thrown) {
    throw invalid(isPlatformError(thrown) ? String(thrown.details.problem) : messageOf(thrown), thrown);
  }
  if (schedule.kind === 'cron' && schedule.cron.impossible) throw invalid('it names a date that never comes');
  return schedule;
}

function parseZone(binding: BindingMetadata, scope: BindingScope, zones: Map<string, TimeZone>): TimeZone {
  const setting = zoneSettings.find((candidate) => (scope.settings.get(candidate) ?? '') !== '');
  const name = setting === undefined ? 'UTC' : (scope.settings.get(setting) ?? 'UTC');
  const known = zones.get(name);
  if (known !== undefined) return known;
  try {
    const zone = createTimeZone(name);
    if (zones.size >= maxZones) zones.clear();
    zones.set(name, zone);
    return zone;
  } catch (thrown) {
    const details = { function: scope.function.name, binding: binding.name, value: name, setting: setting ?? '' };
    throw triggerErrors.create('TIMER_ZONE_INVALID', details, thrown);
  }
}

function parseFlag(key: string, absent: boolean, binding: BindingMetadata, scope: BindingScope): boolean {
  const value = binding.raw[key];
  if (value === undefined || value === null) return absent;
  const text = String(value).toLowerCase();
  if (text === 'true' || text === 'false') return text === 'true';
  const details = { function: scope.function.name, binding: binding.name, key, value: JSON.stringify(value) };
  throw triggerErrors.create('TIMER_FLAG_INVALID', details);
}
