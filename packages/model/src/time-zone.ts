/**
 * Time zones: which offset from UTC holds when, by IANA name or by the Windows name that WEBSITE_TIME_ZONE takes.
 *
 * Purpose: cut time into spans of one offset, so that schedules are computed on plain wall-clock time within a span.
 * Ownership: one zone object serves all schedules of an app; it computes a year's changes once and remembers them.
 *
 * I1 Spans follow one another without gap or overlap, and the offset is the same throughout each.
 * I2 The memory of a zone is bounded, whatever is asked of it.
 */
import { invariant } from '@switchyard/kernel';
import { modelErrors } from './errors.ts';
import { windowsTimeZones } from './windows-time-zones.ts';

/** A stretch of time with one offset. */
export interface OffsetSpan {
  /** The first instant of the span. */
  readonly startMs: number;
  /** The first instant after it. */
  readonly endMs: number;
  /** Wall-clock time minus UTC. */
  readonly offsetMs: number;
  /** The offset just before `startMs`; often the same, as a span also ends with its year. */
  readonly previousOffsetMs: number;
}

export interface TimeZone {
  /** As it was asked for. */
  readonly name: string;
  readonly ianaName: string;
  /** The span that holds the instant. */
  spanAt(instantMs: number): OffsetSpan;
}

/** Clock changes lie further apart than this everywhere since 1970. */
const probeStepMs = 3 * 86_400_000;

/** The whole years that a Date can hold, both ways from 1970. */
const maxInstantMs = 8_639_000_000_000_000;

/** Years remembered per zone. */
const maxYears = 128;

/** Coordinated Universal Time, the default of every schedule. */
export const utcTimeZone: TimeZone = createTimeZone('UTC');

/**
 * Finds a zone by its IANA or Windows name, in any case.
 * @throws PlatformError TIME_ZONE_UNKNOWN
 */
export function createTimeZone(name: string): TimeZone {
  const ianaName = windowsTimeZones.get(name.trim().toLowerCase()) ?? name.trim();
  const readOffset = createOffsetReader(name, ianaName);
  const years = new Map<number, readonly OffsetSpan[]>();
  return {
    name,
    ianaName,
    spanAt(instantMs) {
      if (!(Math.abs(instantMs) <= maxInstantMs)) throw modelErrors.create('TIME_OUT_OF_RANGE', { time: instantMs });
      const year = new Date(instantMs).getUTCFullYear();
      const known = years.get(year);
      if (known === undefined && years.size >= maxYears) years.clear();
      const spans = known ?? spansOfYear(year, readOffset);
      years.set(year, spans);
      const span = spans.findLast(({ startMs }) => startMs <= instantMs);
      invariant(span !== undefined, 'the spans of a year cover the whole year');
      return span;
    },
  };
}

type OffsetReader = (instantMs: number) => number;

function createOffsetReader(name: string, ianaName: string): OffsetReader {
  if (/^(etc\/)?(utc|gmt|uct|zulu)$/i.test(ianaName)) return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: ianaName, timeZoneName: 'longOffset' });
  } catch (cause) {
    throw modelErrors.create('TIME_ZONE_UNKNOWN', { name }, cause);
  }
  return (instantMs) => parseOffset(format.format(instantMs));
}

/** Reads `7/1/2024, GMT-04:00`; plain `GMT` is no offset. */
function parseOffset(text: string): number {
  const [, sign, hours, minutes, seconds = '0'] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  if (hours === undefined) return 0;
  const magnitude = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  return sign === '-' ? -magnitude : magnitude;
}

function spansOfYear(year: number, readOffset: OffsetReader): OffsetSpan[] {
  const [yearStartMs, yearEndMs] = [startOfYear(year), startOfYear(year + 1)];
  let previousOffsetMs = readOffset(yearStartMs - 1);
  let startMs = yearStartMs;
  let offsetMs = readOffset(yearStartMs);
  const spans: OffsetSpan[] = [];
  for (let atMs = yearStartMs; atMs < yearEndMs - 1; ) {
    const probeMs = Math.min(atMs + probeStepMs, yearEndMs - 1);
    const probedMs = readOffset(probeMs);
    if (probedMs !== offsetMs) {
      const changeMs = findChange(atMs, probeMs, offsetMs, readOffset);
      spans.push({ startMs, endMs: changeMs, offsetMs, previousOffsetMs });
      [startMs, previousOffsetMs, offsetMs] = [changeMs, offsetMs, probedMs];
    }
    atMs = probeMs;
  }
  spans.push({ startMs, endMs: yearEndMs, offsetMs, previousOffsetMs });
  return spans;
}

/** The first instant in (fromMs, toMs] whose offset is no longer `offsetMs`. */
function findChange(fromMs: number, toMs: number, offsetMs: number, readOffset: OffsetReader): number {
  let [low, high] = [fromMs, toMs];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (readOffset(middle) === offsetMs) low = middle;
    else high = middle;
  }
  return high;
}

/** Unlike Date.UTC this takes years below 100 as they are. */
function startOfYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}
