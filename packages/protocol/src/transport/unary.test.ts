import { PlatformError, systemClock } from '@switchyard/kernel';
import { createMemoryLog, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { collect, turns } from '../testing/link-collector.ts';
import { createMemoryLinkPair } from './memory-link.ts';
import { createRpcChannel, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';
import { callUnary, serveUnary, type UnaryCall, type UnaryContext } from './unary.ts';

const notFound = new PlatformError(
  'THING_NOT_FOUND',
  { blame: 'user', retry: 'never', http: 404, grpc: grpcStatus.notFound, exit: 1, message: "no thing '{name}'" },
  { name: 'ümläut' },
);

describe('unary calls over HTTP/2', () => {
  let log: MemoryLog;
  let server: RpcServer;
  let channel: RpcChannel;
  let contexts: UnaryContext[];

  const calls: Record<string, UnaryCall> = {
    '/T/Echo': (request) => request,
    '/T/Later': async (request) => {
      await turns(3);
      return Buffer.concat([request, request]);
    },
    '/T/Status': () => ({ code: grpcStatus.alreadyExists, message: 'there is one 😀' }),
    '/T/Platform': () => {
      throw notFound;
    },
    '/T/Throw': async () => {
      throw new Error('secret detail');
    },
    '/T/Hang': (_request, context) =>
      new Promise((resolve) => context.signal.addEventListener('abort', () => resolve(Buffer.alloc(0)))),
  };

  beforeEach(async () => {
    log = createMemoryLog();
    contexts = [];
    const methods = Object.fromEntries(
      Object.entries(calls).map(([path, call]) => [
        path,
        {
          kind: 'unary' as const,
          call: (request: Uint8Array, context: UnaryContext) => {
            contexts.push(context);
            return call(request, context);
          },
        },
      ]),
    );
    server = createRpcServer({ clock: systemClock, log }, { methods });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
  });
  afterEach(async () => {
    await Promise.all([channel.close(0), server.close(0)]);
  });

  it.each([0, 1, 500, 3_000_000])('answer %d bytes', async (size) => {
    const request = Buffer.alloc(size, 'x');
    const outcome = await channel.unary('/T/Echo', request);
    expect(outcome.kind === 'answered' && request.equals(outcome.message)).toBe(true);
  });

  it('carry metadata, and many run at a time', async () => {
    const metadata = new Map([['authorization', 'Bearer t']]);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => channel.unary('/T/Later', Buffer.from(`<${index}>`), { metadata })),
    );
    expect(outcomes.map((outcome) => outcome.kind === 'answered' && String(outcome.message))).toEqual(
      outcomes.map((_outcome, index) => `<${index}><${index}>`),
    );
    expect(contexts.every((context) => context.metadata.get('authorization') === 'Bearer t')).toBe(true);
    expect(contexts[0]?.peer).toContain('127.0.0.1:');
  });

  it.each([
    ['/T/Status', { code: grpcStatus.alreadyExists, message: 'there is one 😀' }],
    ['/T/Platform', { code: grpcStatus.notFound, message: "no thing 'ümläut'" }],
    ['/T/Throw', { code: grpcStatus.internal, message: 'the call failed inside the server' }],
    ['/T/None', { code: grpcStatus.unimplemented, message: 'this server has no method /T/None' }],
  ])('%s fails with its status', async (path, status) => {
    expect(await channel.unary(path, Buffer.alloc(0))).toEqual({
      kind: 'failed',
      status: { ...status, origin: 'peer' },
    });
  });

  it('log what a handler threw', async () => {
    await channel.unary('/T/Throw', Buffer.alloc(0));
    expect(log.withMessage('a unary handler threw')).toMatchObject([{ fields: { error: 'secret detail' } }]);
  });

  it('end at their deadline, at both ends', async () => {
    const outcome = await channel.unary('/T/Hang', Buffer.alloc(0), { timeoutMs: 30 });
    expect(outcome).toMatchObject({ kind: 'failed', status: { code: grpcStatus.deadlineExceeded } });
    const [context] = contexts;
    if (!context) throw new Error('the call never arrived');
    if (!context.signal.aborted) await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
  });

  it('end when the caller cancels', async () => {
    const controller = new AbortController();
    const outcome = channel.unary('/T/Hang', Buffer.alloc(0), { signal: controller.signal });
    while (contexts.length === 0) await turns(1);
    const aborted = new Promise((resolve) => contexts[0]?.signal.addEventListener('abort', resolve));
    controller.abort();
    expect(await outcome).toMatchObject({ kind: 'failed', status: { code: grpcStatus.cancelled, origin: 'local' } });
    await aborted;
  });
});

describe('unary calls', () => {
  const log = createMemoryLog();

  it('give up at the deadline on virtual time, and leave no timer', async () => {
    const clock = new VirtualClock();
    const { opener, acceptor } = createMemoryLinkPair();
    collect(acceptor);
    const outcome = callUnary(clock, opener, Buffer.alloc(0), 2_000);
    await clock.advance(1_999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(await outcome).toEqual({
      kind: 'failed',
      status: {
        code: grpcStatus.deadlineExceeded,
        message: 'memory:acceptor has not answered within 2000 ms',
        origin: 'local',
      },
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('tell the caller that the server took too long', async () => {
    const clock = new VirtualClock();
    const { opener, acceptor } = createMemoryLinkPair();
    let signal: AbortSignal | undefined;
    const hang: UnaryCall = (_request, context) => {
      signal = context.signal;
      return new Promise(() => {});
    };
    serveUnary(clock, log, acceptor, hang, 500);
    const outcome = callUnary(clock, opener, Buffer.from('x'), 60_000);
    await clock.advance(500);
    expect(await outcome).toMatchObject({ status: { code: grpcStatus.deadlineExceeded, origin: 'peer' } });
    expect(signal?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['two requests', ['a', 'b'], /not more/],
    ['no request', [], /none came/],
  ])('refuse %s', async (_name, requests, message) => {
    const { opener, acceptor } = createMemoryLinkPair();
    serveUnary(new VirtualClock(), log, acceptor, (request) => request, 1_000);
    for (const request of requests) opener.send(Buffer.from(request));
    opener.end();
    expect(await opener.closed).toMatchObject({ code: grpcStatus.internal, message: expect.stringMatching(message) });
  });

  it.each([
    ['two answers', ['a', 'b'], /not more/],
    ['no answer', [], /none came/],
  ])('take %s for a failure', async (_name, answers, message) => {
    const { opener, acceptor } = createMemoryLinkPair();
    const outcome = callUnary(new VirtualClock(), opener, Buffer.from('x'), 1_000);
    for (const each of answers) acceptor.send(Buffer.from(each));
    acceptor.end();
    expect(await outcome).toMatchObject({
      kind: 'failed',
      status: { code: grpcStatus.internal, message: expect.stringMatching(message) },
    });
  });
});
