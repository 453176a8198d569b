/**
 * Durations as .NET writes them: `[-][d.]hh:mm[:ss[.fffffff]]`, as well as `d:hh:mm:ss` and whole days alone. In a text of
 * three parts whose first is 24 or more, the parts are days, hours and minutes (documentation of the timer trigger).
 */

const ticksPerMs = 10_000;
const ticksPerSecond = 10_000_000;
const msPerSecond = 1_000;
const msPerMinute = 60_000;
const msPerHour = 3_600_000;
const msPerDay = 86_400_000;

/** The longest duration that .NET holds, in days. */
const maxDays = 10_675_199;

const daysPattern = /^\d{1,8}$/;
const clockPattern = /^(?:(\d{1,8})\.)?(\d{1,8}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;
const fourPartPattern = /^(\d{1,8}):(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?$/;

/** What the groups of a pattern hold, in this order. */
interface Parts {
  readonly days: string | undefined;
  readonly hours: string;
  readonly minutes: string;
  readonly seconds: string | undefined;
  readonly fraction: string | undefined;
}

/** The duration in milliseconds (with fractions, for ticks), or undefined when `text` is none. */
export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim();
  const negative = trimmed.startsWith('-');
  const magnitudeMs = parseMagnitude(negative ? trimmed.slice(1) : trimmed);
  if (magnitudeMs === undefined) return undefined;
  return negative && magnitudeMs !== 0 ? -magnitudeMs : magnitudeMs;
}

/** Writes a duration as .NET's constant format does: `00:00:30`, `1.00:00:00`, `00:00:00.1000000`. */
export function formatTimeSpan(durationMs: number): string {
  const wholeMs = Math.floor(Math.abs(durationMs));
  const restTicks = Math.round((Math.abs(durationMs) - wholeMs) * ticksPerMs);
  const fraction = (wholeMs % msPerSecond) * ticksPerMs + restTicks;
  const seconds = Math.floor(wholeMs / msPerSecond) + Math.floor(fraction / ticksPerSecond);
  const ticks = fraction % ticksPerSecond;
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  const sign = durationMs < 0 && (seconds > 0 || ticks > 0) ? '-' : '';
  return `${sign}${days > 0 ? `${days}.` : ''}${clock}${ticks > 0 ? `.${String(ticks).padStart(7, '0')}` : ''}`;
}

function parseMagnitude(text: string): number | undefined {
  if (daysPattern.test(text)) return inDays(Number(text), 0);
  const [, days, hours, minutes, seconds, fraction] = clockPattern.exec(text) ?? fourPartPattern.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const parts: Parts = { days, hours, minutes, seconds, fraction };
  return startsWithDays(parts) ? sumShifted(parts) : sum(parts);
}

/** `dd:hh:mm`: three parts, the first beyond a day's hours. */
function startsWithDays({ days, hours, seconds, fraction }: Parts): boolean {
  return days === undefined && Number(hours) >= 24 && seconds !== undefined && fraction === undefined;
}

function sumShifted({ hours: days, minutes: hours, seconds: minutes }: Parts): number | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return inDays(Number(days), Number(hours) * msPerHour + Number(minutes) * msPerMinute);
}

function sum({ days, hours, minutes, seconds = '0', fraction = '' }: Parts): number | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const fractionMs = Number(fraction.padEnd(7, '0')) / ticksPerMs;
  const clockMs = Number(hours) * msPerHour + Number(minutes) * msPerMinute + Number(seconds) * msPerSecond;
  return inDays(Number(days ?? 0), clockMs + fractionMs);
}

function inDays(days: number, restMs: number): number | undefined {
  return days > maxDays ? undefined : days * msPerDay + restMs;
}
