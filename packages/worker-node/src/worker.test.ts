import { createDeferred } from '@switchyard/kernel';
import {
  createMemoryLinkPair,
  InvocationRequest,
  type MessageContent,
  RpcFunctionMetadata,
  RpcLog_Level,
  StreamingMessage,
} from '@switchyard/protocol';
import { ScriptedHost, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModuleLoader } from './app/module-loader.ts';
import type { ProgrammingModel } from './core/core-types.ts';
import { DefaultModel } from './model/default-model.ts';
import { Worker } from './worker.ts';

/** A model in the manner of v3: `callback(context, ...inputs)`. */
const plainModel: ProgrammingModel = {
  name: 'plain',
  version: '1',
  getInvocationModel: (core) => ({
    getArguments: () => ({ context: { core }, inputs: core.request.inputData.map(({ data }) => data?.string) }),
    invokeFunction: async (context, inputs, callback) => await callback(context, ...inputs),
    getResponse: (_context, result) => ({ returnValue: { string: String(result) } }),
  }),
};

/** `scripts` are the exports of made-up files, by path. */
function open(scripts: Record<string, (...parameters: unknown[]) => unknown> = {}) {
  const { opener, acceptor } = createMemoryLinkPair({ acceptorName: 'the host' });
  const clock = new VirtualClock();
  const loads: string[] = [];
  const gates = new Map<string, Promise<void>>();
  const warmed: string[] = [];
  const loader: ModuleLoader = {
    load: async (file) => {
      loads.push(file);
      await gates.get(file);
      return scripts[file];
    },
    forget: () => {},
  };
  const defaultModel: DefaultModel = new DefaultModel(async () => {
    warmed.push('default model');
    return { setup: () => worker.core.setProgrammingModel(plainModel) };
  });
  const worker = new Worker({
    link: opener,
    clock,
    random: { uuid: () => 'n1' },
    environment: {
      runtimeVersion: '24.0.0',
      bitness: 'x64',
      replace: () => {},
      update: () => {},
      read: () => new Map(),
      changeDirectory: () => {},
    },
    loader,
    defaultModel,
    warmer: {
      fetch: async () => void warmed.push('fetch'),
      placeholder: async () => {
        warmed.push('placeholder');
        if (warmed.filter((one) => one === 'placeholder').length > 1) throw new Error('warming up failed');
      },
    },
    complain: () => {},
  });
  worker.start({ workerId: 'w1', requestId: 'start' });
  return { worker, acceptor, clock, loads, gates, warmed };
}

function connect(scripts?: Parameters<typeof open>[0]) {
  const opened = open(scripts);
  const host = new ScriptedHost(opened.acceptor);
  const loadScript = (id: string) => host.load(id, { name: id, scriptFile: `/${id}.js` });
  return { ...opened, host, loadScript };
}

const call = (functionId: string, invocationId = 'i1'): Partial<InvocationRequest> => ({ functionId, invocationId });
const errors = (host: ScriptedHost) =>
  host.logs.filter(({ level }) => level >= RpcLog_Level.Error).map(({ message }) => message);

describe('Worker', () => {
  it('introduces itself first, and answers under the id of each request', async () => {
    const frames: StreamingMessage[] = [];
    open().acceptor.receive({ frame: (bytes) => frames.push(StreamingMessage.decode(bytes)) });
    await new Promise((resolve) => setImmediate(resolve));
    expect(frames).toMatchObject([{ requestId: 'start', content: { $case: 'startStream' } }]);
    const { host } = connect({ '/a.js': () => 'ran' });
    expect(await host.workerId).toBe('w1');
    await host.init('');
    const [, invoked, status] = await Promise.all([
      host.load('a', { name: 'a', scriptFile: '/a.js' }),
      host.invoke(call('a')),
      host.ask({ $case: 'workerStatusRequest', value: {} }, 'workerStatusResponse'),
    ]);
    expect(invoked.returnValue?.data).toMatchObject({ value: 'ran' });
    expect([status, host.strays]).toEqual([{}, []]);
  });

  it('survives frames and messages of any kind', async () => {
    const { host, loadScript } = connect({ '/a.js': () => 'ran' });
    await host.init('');
    await loadScript('a');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => host.sendFrame(Uint8Array.of(0xff, ...bytes))),
      {
        numRuns: 20,
      },
    );
    host.send({ $case: 'workerHeartbeat', value: {} });
    host.send({ $case: 'fileChangeEventRequest', value: { type: 1, fullPath: '', name: '' } });
    host.send({ $case: 'startStream', value: { workerId: 'x', properties: new Map() } });
    host.sendFrame(StreamingMessage.encode({ requestId: 'empty', content: undefined }).finish());
    expect((await host.invoke(call('a'))).result?.status).toBe(1);
    expect(errors(host).filter((message) => !message.includes('cannot be decoded'))).toEqual([
      expect.stringContaining('startStream'),
      expect.stringContaining('does not know'),
    ]);
  });

  it('ends when the host ends its stream', async () => {
    const { worker, host } = connect();
    host.end();
    expect(await worker.ended).toEqual({ kind: 'host-ended' });
    expect((await host.closed).code).toBe(0);
  });

  it('ends when the connection is lost, naming peer and reason', async () => {
    const { worker, acceptor } = open();
    acceptor.cancel({ code: 14, message: 'cable cut' });
    const end = await worker.ended;
    expect(end.kind).toBe('connection-lost');
    expect(end.kind === 'connection-lost' && end.reason).toMatch(/to the host at the host was lost: cable cut/);
  });

  it('I2: runs appTerminate hooks on WorkerTerminate, and ends when they are done', async () => {
    const { worker, host, clock } = connect();
    const gate = createDeferred<void>();
    const events: string[] = [];
    worker.core.registerHook('appTerminate', async () => {
      await gate.promise;
      events.push('hook');
    });
    void worker.ended.then(({ kind }) => events.push(kind));
    host.send({ $case: 'workerTerminate', value: { gracePeriod: { seconds: 5n, nanos: 0 } } });
    await clock.advance(4_999);
    expect(events).toEqual([]);
    gate.resolve();
    await worker.ended;
    expect(events).toEqual(['hook', 'terminated']);
  });

  it('I2: waits for hanging or throwing hooks no longer than the grace period', async () => {
    const { worker, host, clock } = connect();
    worker.core.registerHook('appTerminate', () => createDeferred<void>().promise);
    host.send({ $case: 'workerTerminate', value: { gracePeriod: { seconds: 2n, nanos: 0 } } });
    host.send({ $case: 'workerTerminate', value: { gracePeriod: undefined } });
    expect(await clock.runUntil(worker.ended, 2_000)).toEqual({ kind: 'terminated' });
    const throwing = connect();
    throwing.worker.core.registerHook('appTerminate', () => Promise.reject(new Error('hook boom')));
    throwing.host.send({ $case: 'workerTerminate', value: { gracePeriod: undefined } });
    expect(await throwing.worker.ended).toEqual({ kind: 'terminated' });
    expect(errors(throwing.host)).toEqual(['An appTerminate hook threw: hook boom']);
  });

  it('I1: keeps the order: loads one after the other, an invocation after the load before it', async () => {
    const { host, gates, loads, loadScript } = connect({ '/slow.js': () => 'slow', '/next.js': () => 'next' });
    const gate = createDeferred<void>();
    gates.set('/slow.js', gate.promise);
    await host.init('');
    const slow = loadScript('slow');
    const next = loadScript('next');
    const invoked = host.invoke(call('slow'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(loads).toEqual(['/slow.js']);
    gate.resolve();
    await Promise.all([slow, next]);
    expect(loads).toEqual(['/slow.js', '/next.js']);
    expect((await invoked).result?.status).toBe(1);
  });

  it('loads a collection with one answer', async () => {
    const { host } = connect({ '/a.js': () => 'ran' });
    await host.init('');
    const metadata = { ...RpcFunctionMetadata.decode(new Uint8Array()), name: 'a', scriptFile: '/a.js' };
    const request = (functionId: string, value: RpcFunctionMetadata) => ({
      functionId,
      metadata: value,
      managedDependencyEnabled: false,
    });
    const content: MessageContent = {
      $case: 'functionLoadRequestCollection',
      value: { functionLoadRequests: [request('a', metadata), request('b', { ...metadata, scriptFile: '' })] },
    };
    const { functionLoadResponses } = await host.ask(content, 'functionLoadResponseCollection');
    expect(functionLoadResponses.map(({ functionId, result }) => [functionId, result?.status])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });

  it('refuses what comes before init, and an invocation of an unknown function', async () => {
    const { host } = connect();
    host.send({ $case: 'functionsMetadataRequest', value: { functionAppDirectory: '' } });
    host.send({ $case: 'invocationRequest', value: InvocationRequest.decode(new Uint8Array()) });
    await host.init('');
    expect(errors(host)).toEqual([
      expect.stringContaining('sent functionsMetadataRequest before the worker was initialized'),
      expect.stringContaining('sent invocationRequest before'),
    ]);
    const { result } = await host.invoke(call('nope'));
    expect(result?.exception?.message).toContain('Function "nope" is not loaded');
  });

  it('cancels a running invocation', async () => {
    const started = createDeferred<void>();
    const { host, loadScript } = connect({
      '/a.js': (context) =>
        new Promise((_resolve, reject) => {
          const { signal } = context as { signal: AbortSignal };
          signal.addEventListener('abort', () => reject(signal.reason));
          started.resolve();
        }),
    });
    await host.init('');
    await loadScript('a');
    const invoked = host.invoke(call('a', 'i7'));
    await started.promise;
    host.send({ $case: 'invocationCancel', value: { invocationId: 'i7', gracePeriod: undefined } });
    expect((await invoked).result).toMatchObject({ status: 2, exception: { message: expect.stringContaining('i7') } });
  });

  it('attributes stray errors to their invocation, which it can still fail', async () => {
    const { worker, host, loadScript } = connect({
      '/a.js': () => {
        worker.scope.current?.fail(new Error('thrown in a callback'));
        return createDeferred<void>().promise;
      },
    });
    await host.init('');
    await loadScript('a');
    expect((await host.invoke(call('a'))).result?.exception?.message).toBe('thrown in a callback');
  });

  it('I3: warms up a placeholder after init, an HTTP app after its index, and on request', async () => {
    const { worker, host, clock, warmed } = connect();
    await host.init('');
    await clock.advance(0);
    expect(warmed).toEqual(['placeholder', 'default model']);
    const bindings = { req: { type: 'httpTrigger', direction: 'in' } };
    worker.core.registerFunction({ name: 'a', bindings }, () => {});
    await host.index();
    await clock.advance(0);
    expect(warmed).toEqual(['placeholder', 'default model', 'fetch']);
    const asked = host.ask({ $case: 'workerWarmupRequest', value: { workerDirectory: '' } }, 'workerWarmupResponse');
    expect((await asked).result?.exception?.message).toBe('warming up failed');
  });

  it('loads the default model ahead of the first call of a function.json function', async () => {
    const { host, clock, warmed, loadScript } = connect({ '/a.js': () => 'ran' });
    await host.init('/app');
    await loadScript('a');
    await clock.advance(0);
    expect(warmed).toEqual(['default model']);
  });

  it('lets what it has sent leave before it closes, and waits for no host that does not answer', async () => {
    const { worker, host } = connect();
    await worker.close();
    expect((await host.closed).code).toBe(0);
    const { worker: other, clock, acceptor } = open();
    acceptor.receive({ frame: () => {} });
    await clock.runUntil(other.close(), 50);
    expect(acceptor.bufferedBytes).toBe(0);
  });

  it('gives up on frames that do not leave', async () => {
    const { worker, clock } = open();
    worker.core.log('error', 'user', 'last words');
    const startMs = clock.now();
    await clock.runUntil(worker.close());
    expect(clock.now() - startMs).toBe(1_000);
  });
});
