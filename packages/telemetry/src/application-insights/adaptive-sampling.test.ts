import { createHash } from 'node:crypto';
import type { SamplingSettings } from '@switchyard/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveSampling, samplingScore } from './adaptive-sampling.ts';

const settings: SamplingSettings = {
  maxTelemetryItemsPerSecond: 20,
  evaluationIntervalMs: 10_000,
  initialSamplingPercentage: 100,
  samplingPercentageIncreaseTimeoutMs: 60_000,
  samplingPercentageDecreaseTimeoutMs: 0,
  minSamplingPercentage: 0.1,
  maxSamplingPercentage: 100,
  movingAverageRatio: 1,
  types: new Set(['Trace', 'Exception']),
};

/** As random as those of callers. */
const traceId = (item: number): string => createHash('sha256').update(`${item}`).digest('hex').slice(0, 32);

function open(given: Partial<SamplingSettings> = {}) {
  const time = { nowMs: 0 };
  const sampling = new AdaptiveSampling({ nowMs: () => time.nowMs, random: () => 0.5 }, { ...settings, ...given });
  /** `perSecond` items a second for one interval, each of another operation; how many were kept. */
  const interval = (perSecond: number): number => {
    const count = (perSecond * settings.evaluationIntervalMs) / 1_000;
    let kept = 0;
    for (let item = 0; item < count; item += 1) {
      if (sampling.keep('Trace', traceId(item)) !== undefined) kept += 1;
    }
    time.nowMs += settings.evaluationIntervalMs;
    sampling.keep('Trace', 'look');
    return kept;
  };
  return { sampling, interval, time };
}

describe('AdaptiveSampling', () => {
  it('sends about as much as it may', () => {
    const { sampling, interval } = open();
    expect(interval(200)).toBe(2_000);
    expect(sampling.percentage).toBeCloseTo(10, 1);
    const kept = interval(200);
    expect(kept).toBeGreaterThan(100);
    expect(kept).toBeLessThan(400);
  });

  it('I1: decides by the operation, as the official libraries do', () => {
    const { sampling } = open({ initialSamplingPercentage: 50 });
    const kept = (id: string) => [sampling.keep('Trace', id), sampling.keep('Exception', id)];
    for (let item = 0; item < 100; item += 1) expect(new Set(kept(`operation ${item}`)).size).toBe(1);
    // A short id counts as if it were repeated up to eight characters.
    expect(samplingScore('aaaaaaaa')).toBe(samplingScore('a'));
  });

  it('I2: follows a falling load only after a while, and never leaves its limits', () => {
    const { sampling, interval } = open({ minSamplingPercentage: 5, maxSamplingPercentage: 50 });
    expect(sampling.percentage).toBe(50);
    interval(2_000);
    expect(sampling.percentage).toBe(5);
    for (let quiet = 0; quiet < 5; quiet += 1) interval(1);
    expect(sampling.percentage).toBe(5);
    interval(1);
    expect(sampling.percentage).toBe(50);
  });

  it('I2: smooths what it sees', () => {
    const { sampling, interval } = open({ movingAverageRatio: 0.5 });
    interval(20);
    interval(60);
    expect(sampling.percentage).toBeCloseTo(50, 0);
  });

  it('I3: sends all of a type that is not sampled', () => {
    const { sampling, time } = open({ initialSamplingPercentage: 50 });
    for (let item = 0; item < 10_000; item += 1) expect(sampling.keep('Request', `${item}`)).toBe(100);
    time.nowMs += settings.evaluationIntervalMs;
    sampling.keep('Trace', undefined);
    expect(sampling.percentage).toBe(100);
  });

  it('scores spread over the whole range', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const score = samplingScore(id);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
      }),
    );
    const scores = Array.from({ length: 5_000 }, (_, item) => samplingScore(traceId(item)));
    expect(Math.abs(scores.filter((score) => score < 50).length / scores.length - 0.5)).toBeLessThan(0.05);
  });
});
