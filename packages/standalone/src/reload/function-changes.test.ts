import type { JobHostStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { compareFunctions, findRegression } from './function-changes.ts';

const status = (names: readonly string[], rest: Partial<JobHostStatus> = {}): JobHostStatus => ({
  key: 'shop:dev-1',
  applicationId: 'shop',
  state: 'active',
  functions: names.map((name) => ({ name, trigger: 'timerTrigger', disabled: false })),
  rejected: [],
  workers: [],
  versions: [],
  ...rest,
});

const broken = (name: string) => ({ name, message: `${name} is broken`, stack: `Error: ${name} is broken\n at x` });

describe('compareFunctions', () => {
  it('names what came and what went', () => {
    const { added, removed } = compareFunctions(status(['a', 'b']), status(['b', 'c']));
    expect(added.map(({ name }) => name)).toEqual(['c']);
    expect(removed).toEqual(['a']);
  });

  it('calls everything new where there was nothing', () => {
    expect(compareFunctions(undefined, status(['a']))).toMatchObject({ added: [{ name: 'a' }], removed: [] });
  });
});

describe('findRegression', () => {
  it.each([
    ['the same functions', status(['a', 'b'])],
    ['more functions', status(['a', 'b', 'c'])],
    ['one function less', status(['a'])],
    ['a new function that is broken', status(['a', 'b'], { rejected: [{ name: 'c', reason: 'no trigger' }] })],
    ['a new function that does not load', status(['a', 'b', 'c'], { unloaded: [broken('c')] })],
  ])('lets a version with %s take over', (_what, next) => {
    expect(findRegression(status(['a', 'b']), next, false)).toBeUndefined();
  });

  it('lets nothing take over that has no functions', () => {
    expect(findRegression(status(['a']), status([], { error: 'It has none.' }), false)).toBe('It has none.');
    expect(findRegression(status(['a']), status([]), false)).toBe('The app has no functions any more.');
    expect(findRegression(undefined, status([]), false)).toBe('The app has no functions any more.');
    expect(findRegression(status(['a']), status([]), true)).toBeUndefined();
  });

  it('lets nothing take over that breaks what works now', () => {
    const rejected = [{ name: 'b', reason: 'function.json is no JSON' }];
    expect(findRegression(status(['a', 'b']), status(['a'], { rejected }), false)).toBe('b: function.json is no JSON');
    const unloaded = [broken('a')];
    expect(findRegression(status(['a']), status(['a'], { unloaded }), false)).toBe('Error: a is broken\n at x');
    expect(findRegression(status(['a']), status([], { rejected: [{ name: 'a', reason: 'bad' }] }), false)).toBe(
      'a: bad',
    );
  });

  it('asks no more of a version than the one before it does', () => {
    const before = status(['a', 'b'], { unloaded: [broken('b')] });
    expect(findRegression(before, status(['a', 'b'], { unloaded: [broken('b')] }), false)).toBeUndefined();
    expect(findRegression(undefined, status(['a'], { unloaded: [broken('a')] }), false)).toBeUndefined();
    expect(findRegression(status([]), status([]), false)).toBeUndefined();
  });

  it('lets nothing take over in which no function is left that runs', () => {
    const renamed = status([], { rejected: [{ name: 'c', reason: 'no trigger' }] });
    expect(findRegression(status(['a']), renamed, false)).toBe('c: no trigger');
  });
});
