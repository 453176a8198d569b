import { describe, expect, it } from 'vitest';
import { Operations } from './operations.ts';

const run = (invocationId: string) => ({
  invocationId,
  functionName: 'hello',
  traceId: `trace of ${invocationId}`,
  spanId: `span of ${invocationId}`,
});

describe('Operations', () => {
  it('I1: knows an invocation until what followed its end has been read', () => {
    const operations = new Operations();
    operations.begin(run('i1'));
    operations.begin(run('i2'));
    expect(operations.of('i1')).toEqual({ traceId: 'trace of i1', parentId: 'span of i1', name: 'hello' });
    expect([operations.of('i3'), operations.of(undefined)]).toEqual([undefined, undefined]);
    operations.end('i1');
    operations.sweep();
    expect(operations.of('i1')).toBeDefined();
    operations.sweep();
    expect([operations.of('i1') === undefined, operations.of('i2') === undefined]).toEqual([true, false]);
  });

  it('I2: forgets the oldest of too many', () => {
    const operations = new Operations();
    for (let item = 0; item <= 20_000; item += 1) operations.begin(run(`i${item}`));
    expect([operations.of('i0') === undefined, operations.of('i1') === undefined]).toEqual([true, false]);
  });

  it('I2: lets no more that have ended wait, though nothing is read', () => {
    const operations = new Operations();
    for (let item = 0; item <= 20_000; item += 1) {
      operations.begin(run(`i${item}`));
      operations.end(`i${item}`);
    }
    expect([operations.of('i19999') === undefined, operations.of('i20000') === undefined]).toEqual([false, true]);
    operations.sweep();
    operations.sweep();
    operations.begin(run('next'));
    operations.end('next');
    expect(operations.of('next')).toBeDefined();
  });
});
