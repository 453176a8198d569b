import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseShard, type ShardView } from './choose-shard.ts';

const order = ['s2', 's0', 's1'];

function choose(views: Readonly<Record<string, ShardView>>, sticky?: string, allowColdStart = true) {
  return chooseShard({ order, sticky, allowColdStart, view: (shard) => views[shard] ?? 'cold' });
}

test.each([
  ['its own shard is started', {}, undefined, { shard: 's2', fallback: false }],
  ['stays where it was', { s1: 'warm', s2: 'warm' }, 's1', { shard: 's1', fallback: true }],
  ['leaves a closed shard for its own', { s1: 'closed', s2: 'warm' }, 's1', { shard: 's2', fallback: false }],
  [
    'overflows to the next warm one in its order',
    { s2: 'full', s1: 'warm' },
    undefined,
    { shard: 's1', fallback: true },
  ],
  [
    'starts a cold one when the warm ones are busy',
    { s2: 'full', s1: 'full' },
    undefined,
    { shard: 's0', fallback: true },
  ],
] as const)('an account %s', (_title, views, sticky, expected) => {
  expect(choose(views, sticky)).toEqual({ kind: 'shard', ...expected });
});

test('without cold starts a warm one has to do, and when there is none it says why', () => {
  expect(choose({ s1: 'warm' }, undefined, false)).toMatchObject({ shard: 's1', fallback: true });
  expect(choose({}, undefined, false)).toEqual({ kind: 'none', reason: 'all-cold' });
  expect(choose({ s0: 'full', s1: 'closed', s2: 'closed' })).toEqual({ kind: 'none', reason: 'all-busy' });
  expect(choose({ s0: 'closed', s1: 'closed', s2: 'closed' })).toEqual({ kind: 'none', reason: 'all-closed' });
});

test('a full or closed shard is never chosen, and somebody is whenever one can', () => {
  const state = fc.constantFrom<ShardView>('cold', 'warm', 'full', 'closed');
  fc.assert(
    fc.property(
      fc.record({ s0: state, s1: state, s2: state }),
      fc.option(fc.constantFrom('s0', 's1', 'gone'), { nil: undefined }),
      fc.boolean(),
      (views, sticky, cold) => {
        const usable = (view: ShardView): boolean => view === 'warm' || (view === 'cold' && cold);
        const choice = choose(views, sticky, cold);
        expect(choice.kind === 'shard').toBe(Object.values(views).some(usable));
        if (choice.kind === 'shard') expect(usable(views[choice.shard as 's0'])).toBe(true);
      },
    ),
  );
});
