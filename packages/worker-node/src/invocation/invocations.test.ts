import { createDeferred } from '@switchyard/kernel';
import { InvocationRequest, type InvocationResponse } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { success } from '../data/failure.ts';
import { emptyResponse } from '../data/to-wire.ts';
import type { Cancellation } from './cancellation.ts';
import { InvocationScope } from './invocation-scope.ts';
import { Invocations, type Run } from './invocations.ts';

const request = (invocationId: string): InvocationRequest => ({
  ...InvocationRequest.decode(new Uint8Array()),
  invocationId,
  functionId: 'f',
});

const good = (invocationId: string): InvocationResponse => ({ ...emptyResponse(), invocationId, result: success });

function open(limit = 10) {
  const scope = new InvocationScope();
  const answers: (readonly [string, string | undefined])[] = [];
  const dropped: Error[] = [];
  const invocations = new Invocations({ scope, onDropped: (error) => dropped.push(error) }, limit);
  const start = (invocationId: string, run: Run): void => {
    void invocations.start(request(invocationId), 'f', run).then((response) => {
      if (response) answers.push([response.invocationId, response.result?.exception?.message]);
    });
  };
  return { scope, answers, dropped, invocations, start };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Invocations', () => {
  it('I1: answers each exactly once, whatever comes first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('settle', 'fail', 'cancel'), { maxLength: 6 }), async (events) => {
        const { scope, answers, invocations, start } = open();
        const running = createDeferred<InvocationResponse>();
        const inside = createDeferred<InvocationScope['current']>();
        start('i1', () => {
          inside.resolve(scope.current);
          return running.promise;
        });
        const invocation = await inside.promise;
        expect(invocation?.isOpen).toBe(true);
        for (const event of [...events, 'settle']) {
          if (event === 'settle') running.resolve(good('i1'));
          else if (event === 'fail') invocation?.fail(new Error('stray'));
          else invocations.cancel('i1');
          await turn();
        }
        const first = [...events, 'settle'].find((event) => event !== 'cancel');
        expect(answers).toEqual([['i1', first === 'fail' ? 'stray' : undefined]]);
        expect([invocation?.isOpen, invocations.size]).toEqual([false, 0]);
      }),
    );
  });

  it('I2: refuses one above the limit at once, and takes the next when one has ended', async () => {
    const { answers, start } = open(1);
    const running = createDeferred<InvocationResponse>();
    start('i1', () => running.promise);
    start('i2', async () => good('i2'));
    await turn();
    expect(answers).toEqual([['i2', expect.stringContaining('has 1 invocations in flight')]]);
    running.resolve(good('i1'));
    await turn();
    start('i3', async () => good('i3'));
    await turn();
    expect(answers.map(([id]) => id)).toEqual(['i2', 'i1', 'i3']);
  });

  it('I3: drops a second request with the same id', async () => {
    const { answers, dropped, start } = open();
    const running = createDeferred<InvocationResponse>();
    start('i1', () => running.promise);
    start('i1', async () => good('i1'));
    await turn();
    expect([answers, String(dropped[0])]).toEqual([[], expect.stringContaining('Invocation i1 of function "f"')]);
    running.resolve(good('i1'));
    await turn();
    expect(answers).toHaveLength(1);
  });

  it('cancels the one that is meant, and no ended one', () => {
    const { invocations, start } = open();
    const seen: Cancellation[] = [];
    for (const id of ['a', 'b'])
      start(id, (cancellation) => {
        seen.push(cancellation);
        return createDeferred<InvocationResponse>().promise;
      });
    invocations.cancel('b');
    invocations.cancel('nobody');
    expect(seen.map((one) => one.isCancelled)).toEqual([false, true]);
  });
});
