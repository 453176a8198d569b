import { describe, expect, it } from 'vitest';
import { createDeferred } from './deferred.ts';

describe('createDeferred', () => {
  it('settles once, with the first answer', async () => {
    const deferred = createDeferred<number>();
    deferred.resolve(1);
    deferred.resolve(2);
    deferred.reject(new Error('late'));
    await expect(deferred.promise).resolves.toBe(1);
  });

  it('does not report a rejection that nobody awaits, and still rejects for who does', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', note);
    const deferred = createDeferred<number>();
    deferred.reject(new Error('nobody listens'));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    await expect(deferred.promise).rejects.toThrow('nobody listens');
  });
});
