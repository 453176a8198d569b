import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AcquireRecord, CapabilityInfo } from '@switchyard/capabilities';
import { newHttpBatchRpcSession, type RpcTarget } from 'capnweb';
import { afterEach, expect, test, vi } from 'vitest';
import type { Identity } from '../broker/gate-object.ts';
import { accountOf, openBroker } from '../testing/open-broker.ts';
import { createBatchListener } from './batch-listener.ts';
import type { ServeDeps } from './serve-session.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function open() {
  const world = openBroker();
  world.register('a@1.0.0');
  const verify = (token: string): Identity | undefined | Promise<undefined> => {
    if (token === 'slow') return new Promise(() => {});
    return token === 'good' ? { account: accountOf('x'), administers: false } : undefined;
  };
  const deps: ServeDeps = { broker: world.broker, clock: world.clock, verify, memoryBudgetBytes: 1 };
  const sessions = new Set<unknown>();
  const listener = createBatchListener(deps, (session) => {
    sessions.add(session);
    session.onEnd(() => sessions.delete(session));
  });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  // The official client; its types know only targets that it is told of.
  const batch = () => newHttpBatchRpcSession<Gate & RpcTarget>(url) as unknown as Gate;
  const post = (body: string, headers: Record<string, string> = {}) => fetch(url, { method: 'POST', body, headers });
  return { ...world, sessions, url, batch, post };
}

interface Account {
  list(): PromiseLike<readonly CapabilityInfo[]>;
  acquire(message: object): PromiseLike<AcquireRecord> & { handles: Handles };
  release(names: unknown): PromiseLike<void>;
}

/** The client's own `map`, which is carried out by the broker. */
interface Handles {
  map<Result>(callback: (handle: Handle) => Result): PromiseLike<readonly Awaited<Result>[]>;
}

interface Handle {
  readonly target: { invoke(method: string, parameters: readonly unknown[]): PromiseLike<unknown> };
}

interface Gate {
  authenticate(token: string): Account;
}

test('the official client gets a whole conversation by one request, which leaves nothing behind', async () => {
  const { broker, sessions, batch } = await open();
  const account = batch().authenticate('good');
  const called = account.acquire({ required: ['a'] }).handles.map((handle) => handle.target.invoke('echo', [1]));
  const [listed, answers] = await Promise.all([account.list(), called]);
  expect(listed).toMatchObject([{ name: 'a', version: '1.0.0' }]);
  expect(answers).toMatchObject([{ account: 'x', parameters: [1] }]);
  await vi.waitFor(() => expect([broker.leases.size, sessions.size]).toEqual([0, 0]));
});

test('errors arrive as they do on a connection', async () => {
  const { batch } = await open();
  await expect(batch().authenticate('bad').list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(batch().authenticate('good').release(5)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
});

test('what is no batch is refused, and the next one is served', async () => {
  const { batch, post, sessions, url } = await open();
  const outcomes = [
    await post('nonsense'),
    await post('["frob"]'),
    await post('["pull",7]'),
    await post('x'.repeat(16 * 1024 * 1024 + 1)),
    await post('\n'.repeat(20_001)),
    await post('', { origin: 'https://evil.example' }),
    await fetch(url),
  ];
  expect(outcomes.map(({ status }) => status)).toEqual([400, 400, 400, 413, 413, 403, 426]);
  expect(await outcomes.at(-1)?.text()).toContain('connect by a WebSocket, or POST a batch');
  expect(await (await post('')).text()).toBe('');
  expect(await batch().authenticate('good').list()).toHaveLength(1);
  await vi.waitFor(() => expect(sessions.size).toBe(0));
});

test('a batch in which nobody says who they are in time is given up', async () => {
  const { clock, batch, sessions } = await open();
  const refused = expect(batch().authenticate('slow').list()).rejects.toThrow('400');
  await vi.waitFor(() => expect(sessions.size).toBe(1));
  await clock.advance(10_000);
  await refused;
});
