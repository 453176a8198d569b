import { InvocationRequest, RpcHttp, StatusResult_Status, type TypedData } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { App } from '../app/app.ts';
import type { PostInvocationContext, PreInvocationContext } from '../app/hook-contexts.ts';
import type { CoreInvocationContext, CoreLogLevel, ProgrammingModel } from '../core/core-types.ts';
import { LongIntegers } from '../data/long-integers.ts';
import { Cancellation } from './cancellation.ts';
import { runInvocation } from './invocation.ts';

type Handler = (...parameters: unknown[]) => unknown;

const text = (value: string): TypedData => ({ data: { $case: 'string', value } });

/** A model in the manner of v4: `callback(...inputs, context)`, the result as `returnValue`. */
function createModel(cores: CoreInvocationContext[], states: unknown[]): ProgrammingModel {
  return {
    name: 'test',
    version: '1',
    getInvocationModel: (core) => {
      cores.push(core);
      return {
        getArguments: async () => {
          states.push(core.state);
          return { context: { core }, inputs: core.request.inputData.map(({ data }) => data?.string ?? data?.int) };
        },
        invokeFunction: async (context, inputs, callback) => {
          states.push(core.state);
          return await callback(...inputs, context);
        },
        getResponse: async (_context, result) => {
          states.push(core.state);
          return {
            returnValue: result === undefined || result === null ? undefined : { json: JSON.stringify(result) },
          };
        },
      };
    },
  };
}

async function run(
  handler: Handler,
  prepare: (app: App) => void = () => {},
  inputs: TypedData[] = [text('in')],
  cancellation = new Cancellation('i1'),
) {
  const app = new App('/app');
  app.functions.register({ name: 'f', bindings: { item: { type: 'queueTrigger', direction: 'in' } } }, handler);
  prepare(app);
  const called = app.functions.find('f');
  if (!called) throw new Error('not registered');
  const cores: CoreInvocationContext[] = [];
  const states: unknown[] = [];
  const lines: [CoreLogLevel, string, unknown][] = [];
  const request: InvocationRequest = {
    ...InvocationRequest.decode(new Uint8Array()),
    invocationId: 'i1',
    functionId: 'f',
    inputData: inputs.map((value) => ({ name: 'item', rpcData: { $case: 'data', value } })),
  };
  const response = await runInvocation(
    {
      app,
      model: createModel(cores, states),
      longs: new LongIntegers(),
      log: {
        system: () => {},
        write: (level, _category, message, scope) => lines.push([level, message, scope]),
      },
      cancellation,
    },
    called,
    request,
  );
  return { response, core: cores[0], states, lines };
}

const failureOf = (response: { result?: { exception?: { message: string } | undefined } | undefined }) =>
  response.result?.exception?.message;

describe('runInvocation', () => {
  it('calls the function with what the model made of the request, and answers with its result', async () => {
    const { response, states } = await run((input) => ({ got: input }));
    expect(response).toMatchObject({
      invocationId: 'i1',
      result: { status: StatusResult_Status.Success, exception: undefined },
      returnValue: { data: { $case: 'json', value: '{"got":"in"}' } },
    });
    expect(states).toEqual([undefined, 'invocation', undefined]);
  });

  it('says of a request that came over HTTP itself that it has no answer', async () => {
    const http = (method: string): TypedData => ({
      data: { $case: 'http', value: { ...RpcHttp.decode(new Uint8Array()), method } },
    });
    for (const [input, result, expected] of [
      [http(''), undefined, { data: undefined }],
      [http(''), null, { data: undefined }],
      [http(''), 1, { data: { $case: 'json', value: '1' } }],
      [http('GET'), undefined, undefined],
      [text('in'), undefined, undefined],
    ] as const) {
      const { response } = await run(() => result, undefined, [input]);
      expect([input, response.returnValue]).toEqual([input, expected]);
    }
  });

  it('loads the long package for a message that needs it', async () => {
    const { response } = await run((input) => String(input), undefined, [{ data: { $case: 'int', value: 2n ** 60n } }]);
    expect(response.returnValue?.data).toEqual({ $case: 'json', value: `"${2n ** 60n}"` });
  });

  it.each<[string, () => unknown, string]>([
    ['an error', () => Promise.reject(new Error('kaboom')), 'kaboom'],
    ['a text', () => Promise.reject('kaboom'), 'kaboom'],
    ['nothing', () => Promise.reject(), 'The function threw neither an error nor a value.'],
  ])('answers Failure when the function throws %s', async (_name, handler, message) => {
    const { response } = await run(handler);
    expect(response.result).toMatchObject({ status: StatusResult_Status.Failure, exception: { message } });
    expect(response.returnValue).toBeUndefined();
  });

  it('answers Failure for an answer that cannot be sent', async () => {
    const { response } = await run(() => 1n);
    expect(failureOf(response)).toMatch(/BigInt/);
  });

  it('lets preInvocation hooks change inputs and function', async () => {
    const stores: unknown[] = [];
    const { response, states } = await run(
      () => 'original',
      (app) =>
        app.hooks.register('preInvocation', async (context: PreInvocationContext) => {
          stores.push(context.hookData);
          context.inputs = ['changed'];
          context.functionCallback = (...inputs) => ({ inputs: inputs.slice(0, 1) });
        }),
    );
    expect(response.returnValue?.data).toMatchObject({ value: '{"inputs":["changed"]}' });
    expect(states).toEqual([undefined, 'invocation', undefined]);
    expect(stores).toEqual([{}]);
  });

  it('runs nothing more when a preInvocation hook throws', async () => {
    let later = 0;
    const { response, states } = await run(
      () => (later += 1),
      (app) => {
        app.hooks.register('preInvocation', () => {
          throw new Error('hook boom');
        });
        app.hooks.register('postInvocation', () => (later += 1));
      },
    );
    expect([failureOf(response), later, states]).toEqual(['hook boom', 0, [undefined]]);
  });

  it('lets postInvocation hooks see and change the outcome, with data shared between the two', async () => {
    const seen: unknown[] = [];
    const changing = (error: unknown) => (app: App) => {
      app.hooks.register('preInvocation', ({ hookData }: PreInvocationContext) => {
        hookData.from = 'pre';
      });
      app.hooks.register('postInvocation', (context: PostInvocationContext) => {
        seen.push([context.hookData, context.result, (context.error as Error | undefined)?.message]);
        context.error = error;
        context.result = 'changed';
      });
    };
    const mended = await run(() => Promise.reject(new Error('kaboom')), changing(null));
    expect(mended.response.returnValue?.data).toMatchObject({ value: '"changed"' });
    const broken = await run(() => 'fine', changing(new Error('by hook')));
    expect(failureOf(broken.response)).toBe('by hook');
    expect(seen).toEqual([
      [{ from: 'pre' }, undefined, 'kaboom'],
      [{ from: 'pre' }, 'fine', undefined],
    ]);
  });

  it('fails when a postInvocation hook throws', async () => {
    const { response } = await run(
      () => 'fine',
      (app) =>
        app.hooks.register('postInvocation', () => {
          throw new Error('post boom');
        }),
    );
    expect(failureOf(response)).toBe('post boom');
  });

  it('attributes log lines to the invocation, also late ones', async () => {
    const { core, lines } = await run((_input, context) => {
      (context as { core: CoreInvocationContext }).core.log('information', 'user', 'inside');
    });
    core?.log('warning', 'user', 'late');
    expect(lines).toMatchObject([
      ['information', 'inside', { invocationId: 'i1', functionName: 'f', context: { core } }],
      ['warning', 'late', { invocationId: 'i1' }],
    ]);
  });

  it('answers Cancelled when the function gives up because of the cancellation', async () => {
    const cancellation = new Cancellation('i1');
    const giveUp: Handler = (_input, context) => {
      const { signal } = context as { signal: AbortSignal };
      cancellation.cancel();
      return signal.aborted ? Promise.reject(signal.reason) : undefined;
    };
    const { response } = await run(giveUp, undefined, undefined, cancellation);
    expect(response.result?.status).toBe(StatusResult_Status.Cancelled);
    const finished = await run(() => 'done', undefined, undefined, cancellation);
    expect(finished.response.result?.status).toBe(StatusResult_Status.Success);
    const failed = await run(() => Promise.reject(new Error('x')), undefined, undefined, cancellation);
    expect(failed.response.result?.status).toBe(StatusResult_Status.Failure);
  });
});
