import { describe, expect, it } from 'vitest';
import { Disposable } from './disposable.ts';

describe('Disposable', () => {
  it('runs once, and answers what it was given', () => {
    let calls = 0;
    const disposable = new Disposable(() => (calls += 1));
    expect([disposable.dispose(), disposable.dispose(), calls]).toEqual([1, undefined, 1]);
  });

  it('disposes of many, each once', () => {
    const calls: string[] = [];
    const part = (name: string) => ({ dispose: () => calls.push(name) });
    const all = Disposable.from(part('a'), part('b'));
    all.dispose();
    all.dispose();
    expect(calls).toEqual(['a', 'b']);
  });
});
