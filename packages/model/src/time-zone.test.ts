import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeZone, utcTimeZone } from './time-zone.ts';
import { windowsTimeZones } from './windows-time-zones.ts';

const hour = 3_600_000;
const utc = (text: string): number => Date.parse(`${text}Z`);

/** The offset that the machine's own calendar gives. */
function offsetByCalendar(zone: string, instantMs: number): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instantMs);
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wallMs = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
  return wallMs - Math.floor(instantMs / 1_000) * 1_000;
}

const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'America/St_Johns',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'UTC',
  'Europe/Dublin',
];

describe('createTimeZone', () => {
  it('I1: cuts time into spans without gap or overlap', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 1975, max: 2090 }), (name, year) => {
        const zone = createTimeZone(name);
        let span = zone.spanAt(Date.UTC(year, 0, 1));
        for (let count = 0; count < 8; count += 1) {
          const next = zone.spanAt(span.endMs);
          expect(next.startMs).toBe(span.endMs);
          expect(next.previousOffsetMs).toBe(span.offsetMs);
          expect(zone.spanAt(span.endMs - 1)).toEqual(span);
          span = next;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('I1: has the offset of the calendar throughout', () => {
    const instant = fc.integer({ min: utc('1975-01-01T00:00:00'), max: utc('2090-01-01T00:00:00') });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (name, instantMs) => {
        const span = createTimeZone(name).spanAt(instantMs);
        expect(span.startMs).toBeLessThanOrEqual(instantMs);
        expect(span.endMs).toBeGreaterThan(instantMs);
        for (const probeMs of [instantMs, span.startMs, span.endMs - 1]) {
          expect(span.offsetMs).toBe(offsetByCalendar(name, probeMs));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('I1: finds the second of a change', () => {
    const spring = createTimeZone('America/New_York').spanAt(utc('2024-06-01T00:00:00'));
    expect(spring.startMs).toBe(utc('2024-03-10T07:00:00'));
    expect(spring.endMs).toBe(utc('2024-11-03T06:00:00'));
    expect([spring.previousOffsetMs, spring.offsetMs]).toEqual([-5 * hour, -4 * hour]);
    expect(createTimeZone('Australia/Lord_Howe').spanAt(utc('2024-07-01T00:00:00')).offsetMs).toBe(10.5 * hour);
  });

  it('I2: answers the same after its memory was cleared', () => {
    const zone = createTimeZone('Europe/Berlin');
    const first = zone.spanAt(utc('2024-07-01T00:00:00'));
    for (let year = 1975; year < 2300; year += 1) zone.spanAt(Date.UTC(year, 6, 1));
    expect(zone.spanAt(utc('2024-07-01T00:00:00'))).toEqual(first);
  });

  it('takes Windows names and any case', () => {
    expect(createTimeZone('Eastern Standard Time').ianaName).toBe('America/New_York');
    expect(createTimeZone(' w. europe standard time ').ianaName).toBe('Europe/Berlin');
    expect(createTimeZone('europe/paris').spanAt(0).offsetMs).toBe(hour);
    expect(utcTimeZone.spanAt(utc('2024-07-01T00:00:00')).offsetMs).toBe(0);
  });

  it.each([...windowsTimeZones])('knows the zone behind %s', (windowsName, ianaName) => {
    const zone = createTimeZone(windowsName);
    expect(zone.spanAt(utc('2024-07-01T00:00:00')).offsetMs).toBe(
      offsetByCalendar(ianaName, utc('2024-07-01T00:00:00')),
    );
  });

  it.each(['Mars/Olympus', '', 'Eastern', '__proto__', '+99:99'])('refuses the name %j', (name) => {
    expect(() => createTimeZone(name)).toThrow(`no time zone "${name}"`);
  });

  it.each([Number.NaN, Infinity, -Infinity, 8.64e15])('refuses the time %s', (instantMs) => {
    expect(() => createTimeZone('Europe/Berlin').spanAt(instantMs)).toThrow('outside what a calendar can hold');
  });
});
