/**
 * Whether a text is a date for .NET, in the invariant culture: what `DateTime.TryParse` takes there, for constraints of routes.
 *
 * A date has parts in any of a few orders: years (three digits and more), numbers of one or two digits, and a month by its name.
 * Its parts need no more between them than tells them apart. A time stands behind it or before it, or alone.
 */
import { dayNames, monthNames } from './date-format.ts';

/** No text of this length is a date; it keeps what callers send from costing time. */
const maxLength = 64;

/** A time has minutes or a half of the day, and perhaps an offset. */
const timePattern =
  /(?<![\d:.+-])(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?\s*(am|pm)?\s*(z|gmt|[+-]\d{1,2}(?::?\d{2})?)?(?![\w:])/gi;
const offsetPattern = /(?<=\d)\s*([+-]\d{2}:\d{2})$/;
const wordPattern = /\d+|[a-z]+|[\s,./-]+|./gi;

/** What a date is made of. */
type Part =
  | { readonly kind: 'Y' | 'N' | 'M'; readonly value: number }
  /** The name of a day. */
  | { readonly kind: 'D'; readonly value: number };

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Any leap year, for dates without one. */
const someYear = 2_000;

/** The orders that .NET knows, as the kinds of the parts, and the days that they may mean; the first one that there is counts. */
const orders: Readonly<Record<string, (numbers: readonly number[]) => readonly Day[]>> = {
  NN: ([month = 0, day = 0]) => [{ year: someYear, month, day }],
  NNN: ([month = 0, day = 0, year = 0]) => [{ year: fullYear(year), month, day }],
  YNN: ([year = 0, month = 0, day = 0]) => [{ year, month, day }],
  NNY: ([month = 0, day = 0, year = 0]) => [{ year, month, day }],
  YN: ([year = 0, month = 0]) => [{ year, month, day: 1 }],
  NY: ([month = 0, year = 0]) => [{ year, month, day: 1 }],
  YM: ([year = 0, month = 0]) => [{ year, month, day: 1 }],
  MY: ([month = 0, year = 0]) => [{ year, month, day: 1 }],
  MN: ([month = 0, day = 0]) => [{ year: someYear, month, day }],
  // A number before the month alone is a year.
  NM: ([year = 0, month = 0]) => [{ year: fullYear(year), month, day: 1 }],
  MNN: ([month = 0, one = 0, two = 0]) => eitherWay(month, one, two),
  NMN: ([one = 0, month = 0, two = 0]) => eitherWay(month, one, two),
  YMN: ([year = 0, month = 0, day = 0]) => [{ year, month, day }],
  MNY: ([month = 0, day = 0, year = 0]) => [{ year, month, day }],
  NMY: ([day = 0, month = 0, year = 0]) => [{ year, month, day }],
};

export function isDateText(value: string): boolean {
  if (value.length > maxLength) return false;
  const text = value.trim();
  const time = [...text.matchAll(timePattern)].find(
    ([, , minute, , half]) => minute !== undefined || half !== undefined,
  );
  if (time === undefined) {
    const [whole = '', offset = '+0'] = offsetPattern.exec(text) ?? [];
    return isOffset(offset) && isDay(toParts(text.slice(0, text.length - whole.length)));
  }
  const before = text.slice(0, time.index);
  const after = text.slice(time.index + time[0].length);
  const parts = toParts(`${before.replace(/(?<=\d)t\s*$/i, '')} ${after}`);
  return isTime(time) && (parts?.length === 0 || isDay(parts));
}

function isTime([, hour, minute, second, half, zone = 'z']: RegExpExecArray): boolean {
  const hours = Number(hour);
  const isHour = half === undefined ? hours < 24 : hours <= 12;
  const isZone = /^[zg]/i.test(zone) || isOffset(zone);
  return isHour && Number(minute ?? 0) < 60 && Number(second ?? 0) < 60 && isZone;
}

/** Such as +2, +02:00 and +0200; no place on earth is more than 14 hours away. */
function isOffset(text: string): boolean {
  const digits = text.slice(1).replace(':', '');
  const [hours, minutes] = digits.length > 2 ? [digits.slice(0, -2), digits.slice(-2)] : [digits, '0'];
  return Number(minutes) < 60 && Number(hours) * 60 + Number(minutes) <= 14 * 60;
}

/** Undefined where something is no part of a date. */
function toParts(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (const [word] of text.matchAll(wordPattern)) {
    if (/^[\s,./-]/.test(word)) continue;
    const part = toPart(word);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

function toPart(word: string): Part | undefined {
  if (/^\d/.test(word)) return { kind: word.length > 2 ? 'Y' : 'N', value: Number(word) };
  const month = indexIn(monthNames, word);
  if (month >= 0) return { kind: 'M', value: month + 1 };
  const day = indexIn(dayNames, word);
  return day < 0 ? undefined : { kind: 'D', value: day };
}

/** The place of a name that is written in full or by its first three letters; -1 for any other. */
function indexIn(names: readonly string[], word: string): number {
  const wanted = word.toLowerCase();
  return names.map((name) => name.toLowerCase()).findIndex((name) => name === wanted || name.slice(0, 3) === wanted);
}

function isDay(parts: readonly Part[] | undefined): boolean {
  if (parts === undefined) return false;
  const named = parts.filter(({ kind }) => kind === 'D');
  const rest = parts.filter(({ kind }) => kind !== 'D');
  const order = rest.map(({ kind }) => kind).join('');
  if (named.length > 1 || !Object.hasOwn(orders, order)) return false;
  const day = orders[order]?.(rest.map(({ value }) => value)).find(exists);
  if (day === undefined) return false;
  const [name] = named;
  return name === undefined || !hasYear(order) || weekdayOf(day) === name.value;
}

/** A date without a year is one of this year, of which nothing is known here. */
function hasYear(order: string): boolean {
  return order !== 'NN' && order !== 'MN';
}

function exists({ year, month, day }: Day): boolean {
  if (year < 1 || year > 9_999 || month < 1 || month > 12 || day < 1) return false;
  return day <= dateOf({ year, month: month + 1, day: 0 }).getUTCDate();
}

function weekdayOf(day: Day): number {
  return dateOf(day).getUTCDay();
}

/** The years below 100 are those of the first century here, and not of the last. */
function dateOf({ year, month, day }: Day): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}

function fullYear(year: number): number {
  if (year > 99) return year;
  return year < 50 ? 2_000 + year : 1_900 + year;
}

/** Of two numbers beside a month the second is the year, unless only the first one can be. */
function eitherWay(month: number, one: number, two: number): readonly Day[] {
  return [
    { year: fullYear(two), month, day: one },
    { year: fullYear(one), month, day: two },
  ];
}
