import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, type DesiredVersion, type ObservedVersion, planVersions } from './plan.ts';

const observed = (key: string, weight = 0, more: Partial<ObservedVersion> = {}): ObservedVersion => ({
  key,
  weight,
  isOnTrial: false,
  isEnding: false,
  ...more,
});

function describeAction(action: Action): string {
  if (action.kind === 'remove-all') return action.kind;
  if (action.kind !== 'set-traffic') return `${action.kind} ${action.key}`;
  return `traffic ${action.shares.map(({ key, weight }) => `${key}=${weight}`).join(' ')}`;
}

const plan = (desired: readonly DesiredVersion[], now: readonly ObservedVersion[]): string[] =>
  planVersions(desired, now).map(describeAction);

describe('planVersions', () => {
  it.each<[string, DesiredVersion[], ObservedVersion[], string[]]>([
    ['a first version', [{ key: 'a', weight: 100 }], [], ['add a', 'traffic a=100']],
    ['nothing to do', [{ key: 'a', weight: 100 }], [observed('a', 100)], []],
    ['another version', [{ key: 'b', weight: 100 }], [observed('a', 100)], ['add b', 'traffic b=100', 'remove a']],
    [
      'a canary',
      [
        { key: 'a', weight: 90 },
        { key: 'b', weight: 10 },
      ],
      [observed('a', 100), observed('b')],
      ['traffic a=90 b=10'],
    ],
    [
      'one that stays hosted without traffic',
      [
        { key: 'b', weight: 100 },
        { key: 'a', weight: 0 },
      ],
      [observed('a', 100), observed('b')],
      ['traffic b=100'],
    ],
    [
      'a version on trial',
      [{ key: 'a', weight: 100 }],
      [observed('a', 100), observed('b', 0, { isOnTrial: true })],
      [],
    ],
    ['an app that is deleted', [], [observed('a', 90), observed('b', 10)], ['remove-all']],
    ['what is ending', [], [observed('a', 0, { isEnding: true })], []],
    [
      'a version that ends and is wanted again',
      [{ key: 'a', weight: 100 }],
      [observed('a', 0, { isEnding: true })],
      ['add a', 'traffic a=100'],
    ],
  ])('%s', (_title, desired, now, actions) => {
    expect(plan(desired, now)).toEqual(actions);
  });

  it('comes to rest: after its actions there is nothing left to do', () => {
    const keys = ['a', 'b', 'c', 'd'];
    const desired = fc
      .subarray(keys)
      .chain((chosen) =>
        fc
          .nat(chosen.length)
          .map((serving) =>
            chosen.map((key, index) => ({ key, weight: index < serving ? Math.floor(100 / serving) : 0 })),
          ),
      );
    const state = fc.record({ weight: fc.nat(100), isOnTrial: fc.boolean(), isEnding: fc.boolean() });
    const now = fc
      .subarray(keys)
      .chain((chosen) => fc.tuple(...chosen.map((key) => state.map((rest) => ({ key, ...rest })))));
    fc.assert(
      fc.property(desired, now, (wanted, before) => {
        const after = apply(planVersions(wanted, before), before);
        expect(planVersions(wanted, after)).toEqual([]);
        if (wanted.length === 0) return;
        for (const { key } of before.filter(({ isOnTrial, isEnding }) => isOnTrial && !isEnding)) {
          expect(after.map((version) => version.key)).toContain(key);
        }
      }),
    );
  });
});

/** What a Runtime makes of the actions. */
function apply(actions: readonly Action[], before: readonly ObservedVersion[]): ObservedVersion[] {
  let versions = before.filter(({ isEnding }) => !isEnding);
  for (const action of actions) {
    if (action.kind === 'add') versions.push(observed(action.key));
    else if (action.kind === 'remove-all') versions = [];
    else if (action.kind === 'remove') versions = versions.filter(({ key }) => key !== action.key);
    else {
      const weights = new Map(action.shares.map(({ key, weight }) => [key, weight]));
      versions = versions.map((version) => ({ ...version, weight: weights.get(version.key) ?? 0 }));
    }
  }
  return versions;
}
