import { describe, expect, it } from 'vitest';
import { InvocationScope, type RunningInvocation } from './invocation-scope.ts';

const running = (invocationId: string): RunningInvocation => ({
  invocationId,
  functionName: 'f',
  isOpen: true,
  fail: () => {},
});

describe('InvocationScope', () => {
  it('follows an invocation through promises and callbacks, beside others', async () => {
    const scope = new InvocationScope();
    const seen = async (id: string) =>
      await scope.run(running(id), async () => {
        await Promise.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        return scope.current?.invocationId;
      });
    expect(await Promise.all([seen('a'), seen('b')])).toEqual(['a', 'b']);
    expect(scope.current).toBeUndefined();
  });
});
