import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import { connect, type RpcTarget, type Session } from '@switchyard/capabilities';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Identity } from '../broker/gate-object.ts';
import { accountOf, openBroker } from '../testing/open-broker.ts';
import {
  defaultServeOptions,
  type ServeDeps,
  type ServedSession,
  serveBatch,
  servePort,
  serveStream,
} from './serve-session.ts';
import { createWebSocketListener } from './web-socket-listener.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Account {
  list(): PromiseLike<readonly unknown[]>;
  acquire(message: object): PromiseLike<{ readonly success: boolean }>;
}

interface Gate {
  authenticate(token: string): Account & PromiseLike<Account>;
}

function open(options = defaultServeOptions) {
  const world = openBroker();
  world.register('a@1.0.0');
  const verify = (token: string): Identity | undefined =>
    token === 'good' ? { account: accountOf('x'), administers: false } : undefined;
  const deps: ServeDeps = { broker: world.broker, clock: world.clock, verify, memoryBudgetBytes: 1 };
  const enter = () => {
    const { port1, port2 } = new MessageChannel();
    const served = servePort(deps, port1, options);
    const session: Session<RpcTarget> = connect(port2);
    closers.push(() => session.close());
    const ended = vi.fn();
    session.main.onRpcBroken(ended);
    return { served, session, ended, gate: session.main as unknown as Gate };
  };
  return { ...world, deps, enter };
}

test('I1: who says nothing, or only shows bad tokens, is closed after a while', async () => {
  const { clock, enter } = open();
  const [silent, wrong, good] = [enter(), enter(), enter()];
  await expect(wrong.gate.authenticate('bad')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await good.gate.authenticate('good');
  await clock.advance(10_000);
  await vi.waitFor(() => expect([silent.ended.mock.calls.length, wrong.ended.mock.calls.length]).toEqual([1, 1]));
  expect(await good.gate.authenticate('good').list()).toHaveLength(1);
});

test('a method that there is not is named, with what to call first', async () => {
  const { enter } = open();
  const { gate } = enter();
  const early = gate as unknown as Account;
  const told = { code: 'METHOD_NOT_FOUND', message: expect.stringContaining("'list'. It has: authenticate(token)") };
  await expect(early.list()).rejects.toMatchObject(told);
  const account = gate.authenticate('good') as unknown as Readonly<Record<string, () => PromiseLike<unknown>>>;
  await expect(account.leaseEnded?.()).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' });
});

test('I2: a session that holds too much is closed, gives back what it held, and another goes on', async () => {
  const { broker, clock, enter } = open({ ...defaultServeOptions, maxExports: 50 });
  const [greedy, other] = [enter(), enter()];
  const [account, modest] = [await greedy.gate.authenticate('good'), await other.gate.authenticate('good')];
  for (let count = 0; count < 60; count += 1) await account.acquire({ required: ['a'] });
  await modest.acquire({ required: ['a'] });
  expect(broker.leases.size).toBe(61);
  await clock.advance(1_000);
  await vi.waitFor(() => expect(broker.leases.size).toBe(1));
  expect(greedy.ended).toHaveBeenCalledTimes(1);
  expect(await modest.list()).toHaveLength(1);
});

test('I3: a session that the broker closes ends at the peer, and one that the peer closes at the broker', async () => {
  const { enter } = open();
  const [first, second] = [enter(), enter()];
  const over = vi.fn();
  for (const { served, gate } of [first, second]) {
    await gate.authenticate('good');
    served.onEnd(over);
  }
  first.served.close();
  await vi.waitFor(() => expect(first.ended).toHaveBeenCalledTimes(1));
  expect(over).toHaveBeenCalledTimes(1);
  second.session.close();
  await vi.waitFor(() => expect(over).toHaveBeenCalledTimes(2));
  second.served.close();
  second.served.onEnd(over);
  expect(over).toHaveBeenCalledTimes(3);
});

test('a WebSocket is served, except to pages in a browser', async () => {
  const { deps } = open();
  const sessions: ServedSession[] = [];
  const listener = createWebSocketListener(deps, (session) => sessions.push(session));
  const server = createServer().on('upgrade', (request, socket, head) => listener.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const session: Session<RpcTarget> = connect(url);
  closers.push(() => session.close());
  expect(await (session.main as unknown as Gate).authenticate('good').list()).toHaveLength(1);
  const over = vi.fn();
  sessions[0]?.onEnd(over);
  session.close();
  await vi.waitFor(() => expect(over).toHaveBeenCalledTimes(1));
  const page = new WebSocket(url, { origin: 'https://evil.example' });
  const refused = await new Promise((resolve) => page.on('error', (error) => resolve(error.message)));
  expect(refused).toBe('Unexpected server response: 403');
  expect(sessions).toHaveLength(1);
});

test('I4: a batch is answered whole or not at all, in its time, and gives back what it held', async () => {
  const { broker, clock, deps } = open();
  const push = (...path: unknown[]) => JSON.stringify(['push', ['pipeline', ...path]]);
  const acquire = [push(0, ['authenticate'], ['good']), push(1, ['acquire'], [{ required: [['a']] }])];
  const batch = serveBatch(deps, [...acquire, '["pull",2]']);
  expect(await batch.answer).toMatch(/^\["resolve",2,\{"success":true/);
  await vi.waitFor(() => expect(broker.leases.size).toBe(0));
  const slow = serveBatch({ ...deps, verify: () => new Promise(() => {}) }, [...acquire, '["pull",2]'], {
    ...defaultServeOptions,
    authenticateMs: 1_000_000,
  });
  const over = vi.fn();
  slow.onEnd(over);
  const refused = expect(slow.answer).rejects.toThrow();
  await clock.advance(150_000);
  await refused;
  expect(over).toHaveBeenCalledTimes(1);
});

/** A stream whose other end is the test's. */
function pairOfStreams() {
  const written: string[] = [];
  const stream = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => {
      written.push(String(chunk));
      done();
    },
  });
  return { stream, written };
}

const word = fc.constantFrom('push', 'pull', 'resolve', 'reject', 'release', 'abort', 'stream', 'pipe', 'pipeline');
const form = fc.constantFrom(
  'import',
  'export',
  'promise',
  'remap',
  'error',
  'date',
  'bytes',
  'bigint',
  'undefined',
  'nan',
);
const name = fc.constantFrom(
  'authenticate',
  'administer',
  'then',
  'constructor',
  '__proto__',
  'toString',
  'dup',
  '#deps',
);
const small = fc.integer({ min: -3, max: 3 });

/** Messages that look like the protocol, and are not. */
const message = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    small,
    word,
    form,
    name,
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value;

test('whatever a peer without a token sends, it gets nothing, and the broker goes on', async () => {
  const { broker, deps, enter } = open();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(message, fc.json()), { maxLength: 8 }), async (messages) => {
      const { stream, written } = pairOfStreams();
      const served = serveStream(deps, stream);
      for (const each of messages) stream.push(`${typeof each === 'string' ? each : JSON.stringify(each)}\n`);
      await new Promise((resolve) => setImmediate(resolve));
      served.close();
      const handed = written
        .join('')
        .split('\n')
        .filter((line) => line.includes('"export"'));
      expect([handed, broker.leases.size]).toEqual([[], 0]);
    }),
    { numRuns: 300 },
  );
  expect(await enter().gate.authenticate('good').list()).toHaveLength(1);
});
