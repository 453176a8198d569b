/**
 * NCRONTAB expressions: six fields (second minute hour day month day-of-week) or five (without seconds), as the NCrontab
 * library reads them. A field is `*`, `n`, `a-b`, any of them with `/step`, and lists of these. Months and weekdays may be
 * names or the beginning of names, in any case. Sunday is 0 and 7 is refused, a range that runs backwards is turned
 * around, `n/step` runs to the end of the field, and day and day-of-week must both match.
 */
import { modelErrors } from './errors.ts';

/** A parsed expression, in wall-clock terms: it knows no time zone. */
export interface CronExpression {
  readonly seconds: CronField;
  readonly minutes: CronField;
  readonly hours: CronField;
  readonly days: CronField;
  readonly months: CronField;
  readonly weekdays: CronField;
  /** True when there is no date on which it could ever be due, such as 30 February. */
  readonly impossible: boolean;
  /**
   * True when the second, minute or hour field holds two neighbouring values (as `*` does). Such a schedule repeats within
   * the day and goes on through an hour that a clock change repeats; any other runs once in it (official timer).
   */
  readonly repeating: boolean;
}

/** The values of one field. */
export interface CronField {
  /** Ascending, never empty. */
  readonly values: readonly number[];
  /** For every value of the field's range: the first value of `values` that is not below it, or -1. */
  readonly next: readonly number[];
}

interface FieldKind {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly names?: readonly string[];
}

const monthNames = 'january february march april may june july august september october november december'.split(' ');
const weekdayNames = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const fieldKinds = {
  second: { name: 'second', minimum: 0, maximum: 59 },
  minute: { name: 'minute', minimum: 0, maximum: 59 },
  hour: { name: 'hour', minimum: 0, maximum: 23 },
  day: { name: 'day', minimum: 1, maximum: 31 },
  month: { name: 'month', minimum: 1, maximum: 12, names: monthNames },
  weekday: { name: 'day-of-week', minimum: 0, maximum: 6, names: weekdayNames },
} as const satisfies Record<string, FieldKind>;

/** Leap years may be eight years apart, and a weekday may need five of them: the longest wait there is, with a margin. */
const horizonMonths = 50 * 12;

/** The longest each month can be. */
const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** True when `text` has the number of fields of a cron expression, right or wrong. */
export function looksLikeCron(text: string): boolean {
  const count = splitFields(text).length;
  return count === 5 || count === 6;
}

/** Parses five or six fields. @throws PlatformError SCHEDULE_INVALID */
export function parseCron(text: string): CronExpression {
  const fields = splitFields(text);
  if (fields.length !== 5 && fields.length !== 6) {
    throw invalid(text, `it has ${fields.length} fields, and a cron expression has six (seconds first) or five`);
  }
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] =
    fields.length === 6 ? fields : ['0', ...fields];
  const [seconds, minutes, hours] = [
    parseField(text, second, fieldKinds.second),
    parseField(text, minute, fieldKinds.minute),
    parseField(text, hour, fieldKinds.hour),
  ] as const;
  const days = parseField(text, day, fieldKinds.day);
  const months = parseField(text, month, fieldKinds.month);
  const weekdays = parseField(text, weekday, fieldKinds.weekday);
  const firstDay = days.values[0] ?? 0;
  return {
    seconds,
    minutes,
    hours,
    days,
    months,
    weekdays,
    impossible: months.values.every((value) => firstDay > (longestMonths[value - 1] ?? 0)),
    repeating: [seconds, minutes, hours].some(hasNeighbours),
  };
}

/**
 * The first time after `afterMs` at which the expression is due, or undefined when there is none. Both are wall-clock
 * times written as if they were UTC.
 */
export function nextWallTime(cron: CronExpression, afterMs: number): number | undefined {
  if (cron.impossible) return undefined;
  const start = new Date(Math.floor(afterMs / 1_000) * 1_000 + 1_000);
  const today = onDay(cron, start.getUTCFullYear(), start.getUTCMonth() + 1, start.getUTCDate())
    ? nextWithinDay(cron, start.getUTCHours(), start.getUTCMinutes(), start.getUTCSeconds())
    : undefined;
  const midnightMs = Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate());
  if (today !== undefined) return midnightMs + today * 1_000;
  const dayMs = nextDay(cron, start.getUTCFullYear(), start.getUTCMonth() + 1, start.getUTCDate() + 1);
  return dayMs === undefined ? undefined : dayMs + firstWithinDay(cron) * 1_000;
}

/** The second of the day, at or after the given time, or undefined when the day has no further one. */
function nextWithinDay(cron: CronExpression, hour: number, minute: number, second: number): number | undefined {
  const nextSecond = cron.seconds.next[second] ?? -1;
  const nextMinute = cron.minutes.next[nextSecond < 0 ? minute + 1 : minute] ?? -1;
  const nextHour = cron.hours.next[nextMinute < 0 ? hour + 1 : hour] ?? -1;
  if (nextHour < 0) return undefined;
  // Once a larger unit has moved on, the smaller ones start over.
  if (nextHour !== hour) return toSecondOfDay(nextHour, first(cron.minutes), first(cron.seconds));
  if (nextMinute !== minute) return toSecondOfDay(nextHour, nextMinute, first(cron.seconds));
  return toSecondOfDay(nextHour, nextMinute, nextSecond);
}

function firstWithinDay(cron: CronExpression): number {
  return toSecondOfDay(first(cron.hours), first(cron.minutes), first(cron.seconds));
}

function toSecondOfDay(hour: number, minute: number, second: number): number {
  return hour * 3_600 + minute * 60 + second;
}

/** Midnight of the first day at or after the given one, whose day may lie beyond the end of its month. */
function nextDay(cron: CronExpression, year: number, month: number, fromDay: number): number | undefined {
  for (let passed = 0; passed <= horizonMonths; passed += 1) {
    const index = month - 1 + passed;
    const [atYear, atMonth] = [year + Math.floor(index / 12), (index % 12) + 1];
    if (cron.months.next[atMonth] !== atMonth) continue;
    const daysInMonth = new Date(Date.UTC(atYear, atMonth, 0)).getUTCDate();
    for (let day = passed === 0 ? fromDay : 1; day <= daysInMonth; day += 1) {
      if (onDay(cron, atYear, atMonth, day)) return Date.UTC(atYear, atMonth - 1, day);
    }
  }
  return undefined;
}

function onDay(cron: CronExpression, year: number, month: number, day: number): boolean {
  if (cron.months.next[month] !== month || cron.days.next[day] !== day) return false;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return cron.weekdays.next[weekday] === weekday;
}

function first(field: CronField): number {
  return field.values[0] ?? 0;
}

function hasNeighbours({ values }: CronField): boolean {
  return values.some((value, index) => values[index + 1] === value + 1);
}

function splitFields(text: string): string[] {
  return text.split(' ').filter((field) => field !== '');
}

function parseField(text: string, field: string, kind: FieldKind): CronField {
  const chosen = new Set<number>();
  for (const part of field.split(',')) addPart(text, part, kind, chosen);
  const values = [...chosen].sort((a, b) => a - b);
  const next: number[] = [];
  for (let value = 0; value <= kind.maximum; value += 1)
    next.push(values.find((candidate) => candidate >= value) ?? -1);
  return { values, next };
}

function addPart(text: string, part: string, kind: FieldKind, chosen: Set<number>): void {
  const slash = part.indexOf('/');
  const step = slash < 0 ? undefined : parseStep(text, part.slice(slash + 1), kind);
  const range = slash < 0 ? part : part.slice(0, slash);
  const [from, to] = parseRange(text, range, kind, step !== undefined);
  for (let value = from; value <= to; value += step ?? 1) chosen.add(value);
}

function parseRange(text: string, range: string, kind: FieldKind, hasStep: boolean): readonly [number, number] {
  if (range === '*') return [kind.minimum, kind.maximum];
  const dash = range.indexOf('-');
  if (dash > 0) {
    const [a, b] = [parseValue(text, range.slice(0, dash), kind), parseValue(text, range.slice(dash + 1), kind)];
    return [Math.min(a, b), Math.max(a, b)];
  }
  const value = parseValue(text, range, kind);
  return [value, hasStep ? kind.maximum : value];
}

/** A step below one counts as one, as in NCrontab. */
function parseStep(text: string, step: string, kind: FieldKind): number {
  if (!/^[+-]?\d{1,9}$/.test(step))
    throw invalid(text, `the step "${step}" of its ${kind.name} field is no whole number`);
  return Math.max(1, Number(step));
}

function parseValue(text: string, value: string, kind: FieldKind): number {
  if (/^\d{1,9}$/.test(value)) {
    const number = Number(value);
    if (number >= kind.minimum && number <= kind.maximum) return number;
    const sunday = kind === fieldKinds.weekday && number === 7 ? '; Sunday is 0' : '';
    throw invalid(text, `${value} is no ${kind.name}: it must be ${kind.minimum} to ${kind.maximum}${sunday}`);
  }
  const index = value === '' ? -1 : (kind.names ?? []).findIndex((name) => name.startsWith(value.toLowerCase()));
  if (index >= 0) return index + kind.minimum;
  const names = kind.names === undefined ? '' : `, or a name such as ${kind.names[1]}`;
  throw invalid(text, `"${value}" is no ${kind.name}: it must be ${kind.minimum} to ${kind.maximum}${names}`);
}

function invalid(schedule: string, problem: string): Error {
  return modelErrors.create('SCHEDULE_INVALID', { schedule, problem });
}
