import type { HealthRecord } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { type ProbeResult, planHealth } from './health-plan.ts';

const result = (outcome: ProbeResult['outcome'], purpose: ProbeResult['purpose'] = 'liveness'): ProbeResult => ({
  ...{ name: purpose, purpose, outcome, message: '' },
});

/** The status after each of these rounds, a second apart. */
function run(rounds: readonly (readonly ProbeResult[])[]): readonly string[] {
  let previous: HealthRecord | undefined;
  return rounds.map((results, at) => {
    previous = planHealth({ serviceId: 's', tenantId: 't', environmentId: 'e', results, previous }, at * 1_000);
    return previous.status;
  });
}

const [good, bad, unsure] = [[result('passed')], [result('failed')], [result('unknown')]];
const dependency = [result('passed'), result('failed', 'dependency')];

describe('planHealth', () => {
  it.each([
    ['good from the start', [good], ['healthy']],
    ['one bad round', [good, bad], ['healthy', 'degraded']],
    ['three bad rounds', [good, bad, bad, bad], ['healthy', 'degraded', 'degraded', 'unhealthy']],
    [
      'one good round is no recovery',
      [bad, bad, bad, good, bad, good],
      ['degraded', 'degraded', 'unhealthy', 'unhealthy', 'unhealthy', 'unhealthy'],
    ],
    ['two good rounds are', [bad, bad, bad, good, good], ['degraded', 'degraded', 'unhealthy', 'unhealthy', 'healthy']],
    [
      'a probe that cannot be made says nothing',
      [good, unsure, unsure, unsure, unsure],
      ['healthy', 'healthy', 'healthy', 'healthy', 'healthy'],
    ],
    ['nor does it forgive', [bad, bad, unsure, bad], ['degraded', 'degraded', 'degraded', 'unhealthy']],
    ['no probe at all', [[]], ['unknown']],
    [
      'a dependency that is gone degrades',
      [good, dependency, dependency, dependency, dependency],
      ['healthy', 'degraded', 'degraded', 'degraded', 'degraded'],
    ],
    ['one failure among many fails the round', [[...good, ...bad, ...unsure]], ['degraded']],
  ])('%s', (_, rounds, statuses) => {
    expect(run(rounds)).toEqual(statuses);
  });

  it('is the same record when nothing is new, and counts a window once', () => {
    const sight = { serviceId: 's', tenantId: 't', environmentId: 'e' };
    const first = planHealth({ ...sight, results: good, previous: undefined }, 0);
    const second = planHealth({ ...sight, results: good, previous: first }, 1_000);
    expect(planHealth({ ...sight, results: good, previous: second }, 60_000)).toBe(second);
    const failed = planHealth({ ...sight, results: bad, previous: second }, 90_000);
    expect(planHealth({ ...sight, results: bad, previous: failed }, 90_500)).toBe(failed);
    // What was evaluated before and comes late says nothing.
    expect(planHealth({ ...sight, results: good, previous: failed }, 80_000)).toBe(failed);
  });

  it('keeps the time since when a status holds', () => {
    const sight = { serviceId: 's', tenantId: 't', environmentId: 'e' };
    const first = planHealth({ ...sight, results: bad, previous: undefined }, 5_000);
    expect(planHealth({ ...sight, results: bad, previous: first }, 9_000)).toMatchObject({
      status: 'degraded',
      since: 5_000,
    });
  });
});
