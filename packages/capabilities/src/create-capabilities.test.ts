import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { createCapabilities } from './create-capabilities.ts';
import { LineTransport } from './rpc/line-transport.ts';
import { openSession, type RpcTarget } from './rpc/session.ts';
import { FakeBroker, FakeHostGate } from './testing/fake-broker.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Serves a main object on a Unix socket. */
async function serve(
  path: string,
  main: () => RpcTarget,
): Promise<{ readonly sockets: Set<Socket>; readonly server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    openSession(new LineTransport(socket, { maxLineBytes: 100_000, lost: (detail) => new Error(detail) }), {
      main: main(),
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, server };
}

async function open(token = 'good') {
  const folder = mkdtempSync(join(tmpdir(), 'capabilities-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const broker = new FakeBroker();
  const served = await serve(join(folder, 'broker'), () => broker.gate());
  const client = createCapabilities({
    endpoint: () => `unix:${join(folder, 'broker')}`,
    token: () => token,
    now: () => broker.nowMs,
  });
  closers.push(() => client.close());
  return { broker, client, folder, ...served };
}

test('I1: one connection serves all, and a new one is opened after it was lost', async () => {
  const { broker, client, sockets } = await open();
  await Promise.all([client.list(), client.health(), client.acquire({ required: ['probe'] })]);
  expect([sockets.size, broker.tokens]).toEqual([1, ['good']]);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await client.list()).toEqual([{ name: 'probe' }]));
  expect(broker.tokens).toEqual(['good', 'good']);
});

test('I2: calls go to the host itself, and through the broker where it cannot be reached', async () => {
  const { broker, client, folder } = await open();
  broker.direct = `unix:${join(folder, 'host')}`;
  const proxied = await client.acquire({ required: ['probe'] });
  expect(await proxied.get('probe').greet?.()).toBe('broker greet');
  expect(broker.messages.map((message) => message.reachesHosts)).toEqual([true, false]);
  const host = await serve(join(folder, 'host'), () => new FakeHostGate(broker));
  const [first, second] = await Promise.all([
    client.acquire({ required: ['probe'] }),
    client.acquire({ required: ['probe'] }),
  ]);
  expect(await first.get('probe').greet?.()).toMatch(/^host lease-\d greet$/);
  expect(await second.get('probe').greet?.()).toMatch(/^host lease-\d greet$/);
  expect(host.sockets.size).toBe(1);
  await first.release();
  await second.release();
  await vi.waitFor(() => expect(host.sockets.size).toBe(0));
});

test('I3: a kept binding is acquired once, again when its lease is over, and again when its host is gone', async () => {
  const { broker, client } = await open();
  const first = await client.use('probe');
  expect(await client.use('probe')).toBe(first);
  broker.nowMs += 2_000;
  expect(await client.use('probe')).not.toBe(first);
  expect(broker.messages).toHaveLength(2);
  broker.failure = Object.assign(new Error('gone'), { code: 'SHARD_UNAVAILABLE', retryable: true });
  await expect((await client.use('probe')).greet?.()).rejects.toThrow('gone');
  broker.failure = undefined;
  await vi.waitFor(async () => expect(await (await client.use('probe')).greet?.()).toBe('broker greet'));
  expect(broker.messages).toHaveLength(3);
  await client.release(['probe']);
  await client.use('probe');
  expect(broker.messages).toHaveLength(4);
});

test('I3: what is not to be had is asked for again', async () => {
  const { broker, client } = await open();
  await expect(client.use('other')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  await expect(client.use('other')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  expect(broker.messages).toHaveLength(2);
});

test('I4: closing gives back everything, and pending calls fail', async () => {
  const { broker, client, sockets } = await open();
  await client.acquire({ required: ['probe'] });
  const pending = client.list();
  client.close();
  await expect(pending).rejects.toThrow();
  await vi.waitFor(() => expect([broker.dropped, sockets.size]).toEqual([['lease-1'], 0]));
});

test('a bad token, a missing socket and a wrong endpoint say so', async () => {
  const { client } = await open('bad');
  await expect(client.list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  const nowhere = (endpoint: string) => createCapabilities({ endpoint: () => endpoint, token: () => '', now: () => 0 });
  await expect(nowhere('unix:/nowhere/at/all').list()).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  await expect(nowhere('http://a').list()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
});

test('dependent calls leave together: a result is a parameter before it is there', async () => {
  const { broker, client } = await open();
  await using caps = await client.acquire({ required: ['probe'] });
  const { add } = caps.get('probe');
  if (add === undefined) throw new Error('every name is a method');
  const sum = add(add(add(1, 2), 3), 4);
  expect(await sum).toBe(10);
  expect(broker.calls).toHaveLength(3);
});
