import { describe, expect, it } from 'vitest';
import { assertNever, InvariantError, invariant } from './assert.ts';

describe('invariant', () => {
  it('throws only when the condition does not hold', () => {
    expect(() => invariant(1, 'unused')).not.toThrow();
    expect(() => invariant(0, 'zero is not allowed')).toThrow(new InvariantError('zero is not allowed'));
  });
});

describe('assertNever', () => {
  it('names the value that should not exist', () => {
    expect(() => assertNever({ kind: 'new' } as never)).toThrow("{ kind: 'new' }");
    expect(() => assertNever(5n as never)).toThrow(new InvariantError('unexpected value 5n'));
  });
});
