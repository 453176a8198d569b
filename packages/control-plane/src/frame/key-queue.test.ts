import { createDeferred, type Deferred } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { KeyQueue } from './key-queue.ts';

/** Work that ends when it is told to, and counts what is under way. */
function createWork() {
  const running: string[] = [];
  const ends = new Map<string, Deferred<void>>();
  const run = (name: string) => async () => {
    running.push(name);
    const end = createDeferred<void>();
    ends.set(name, end);
    await end.promise;
    running.splice(running.indexOf(name), 1);
    return name;
  };
  return { running, run, end: (name: string) => ends.get(name)?.resolve() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('KeyQueue', () => {
  it('I1: runs of one key follow one another, also after one that failed', async () => {
    const queue = new KeyQueue(4);
    const { running, run, end } = createWork();
    const failing = queue.run('a', () => Promise.reject(new Error('no')));
    const first = queue.run('a', run('first'));
    const second = queue.run('a', run('second'));
    const other = queue.run('b', run('other'));
    await expect(failing).rejects.toThrow('no');
    await turn();
    expect(running).toEqual(['other', 'first']);
    end('first');
    expect(await first).toBe('first');
    await turn();
    expect(running).toEqual(['other', 'second']);
    end('second');
    end('other');
    await Promise.all([second, other]);
    await queue.idle();
  });

  it('I2: so many at a time, and the next one as soon as one has ended', async () => {
    const queue = new KeyQueue(2);
    const { running, run, end } = createWork();
    const all = ['a', 'b', 'c'].map((key) => queue.run(key, run(key)));
    await turn();
    expect(running).toEqual(['a', 'b']);
    end('b');
    await turn();
    expect(running).toEqual(['a', 'c']);
    end('a');
    end('c');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
  });
});
