import { createDeferred } from '@switchyard/kernel';
import { InvocationRequest, type InvocationResponse } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { success } from '../data/failure.ts';
import { emptyResponse } from '../data/to-wire.ts';
import type { Cancellation } from './cancellation.ts';
import { InvocationScope } from './invocation-scope.ts';
import { Invocations } from './invocations.ts';

const request = (invocationId: string): InvocationRequest => ({
  ...InvocationRequest.decode(new Uint8Array()),
  invocationId,
  functionId: 'f',
});

const good = (invocationId: string): InvocationResponse => ({ ...emptyResponse(), invocationId, result: success });

function open(limit = 10) {
  const scope = new InvocationScope();
  const answers: [string, InvocationResponse][] = [];
  const dropped: Error[] = [];
  const invocations = new Invocations(
    {
      scope,
      answer: (requestId, response) => answers.push([requestId, response]),
      onDropped: (error) => dropped.push(error),
    },
    limit,
  );
  return { scope, answers, dropped, invocations };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Invocations', () => {
  it('I1: answers each exactly once, whatever comes first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('settle', 'fail', 'cancel'), { maxLength: 6 }), async (events) => {
        const { scope, answers, invocations } = open();
        const running = createDeferred<InvocationResponse>();
        const inside = createDeferred<InvocationScope['current']>();
        invocations.start('r1', request('i1'), 'f', () => {
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
        expect(answers.map(([id, { result }]) => [id, result?.exception?.message])).toEqual([
          ['r1', first === 'fail' ? 'stray' : undefined],
        ]);
        expect([invocation?.isOpen, invocations.size]).toEqual([false, 0]);
      }),
    );
  });

  it('I2: refuses one above the limit at once, and takes the next when one has ended', async () => {
    const { answers, invocations } = open(1);
    const running = createDeferred<InvocationResponse>();
    invocations.start('r1', request('i1'), 'f', () => running.promise);
    invocations.start('r2', request('i2'), 'f', async () => good('i2'));
    expect(answers[0]?.[1].result?.exception?.message).toContain('has 1 invocations in flight');
    running.resolve(good('i1'));
    await turn();
    invocations.start('r3', request('i3'), 'f', async () => good('i3'));
    await turn();
    expect(answers.map(([id]) => id)).toEqual(['r2', 'r1', 'r3']);
  });

  it('I3: drops a second request with the same id', async () => {
    const { answers, dropped, invocations } = open();
    const running = createDeferred<InvocationResponse>();
    invocations.start('r1', request('i1'), 'f', () => running.promise);
    invocations.start('r2', request('i1'), 'f', async () => good('i1'));
    await turn();
    expect([answers, String(dropped[0])]).toEqual([[], expect.stringContaining('Invocation i1 of function "f"')]);
    running.resolve(good('i1'));
    await turn();
    expect(answers).toHaveLength(1);
  });

  it('cancels the one that is meant, and no ended one', async () => {
    const { invocations } = open();
    const seen: Cancellation[] = [];
    for (const id of ['a', 'b'])
      invocations.start(id, request(id), 'f', (cancellation) => {
        seen.push(cancellation);
        return createDeferred<InvocationResponse>().promise;
      });
    invocations.cancel('b');
    invocations.cancel('nobody');
    expect(seen.map((one) => one.isCancelled)).toEqual([false, true]);
  });
});
