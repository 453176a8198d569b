import { describe, expect, it } from 'vitest';
import { ambientTraceKey, InvocationScope, type RunningInvocation } from './invocation-scope.ts';

const running = (invocationId: string): RunningInvocation => ({
  invocationId,
  functionName: 'f',
  traceParent: `trace of ${invocationId}`,
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

  it('tells libraries of the process under which trace they are called', async () => {
    const scope = new InvocationScope();
    const target: Record<symbol, unknown> = {};
    scope.publishTrace(target);
    const ask = target[ambientTraceKey] as () => string | undefined;
    expect(ask()).toBeUndefined();
    expect(await scope.run(running('a'), async () => ask())).toBe('trace of a');
    expect(scope.run({ ...running('b'), traceParent: '' }, ask)).toBeUndefined();
  });
});
