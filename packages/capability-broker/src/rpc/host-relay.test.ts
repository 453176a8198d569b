import { Secret } from '@switchyard/kernel';
import { afterEach, expect, test } from 'vitest';
import { openRelay } from '../testing/open-relay.ts';
import { openRemoteHost } from './open-remote-host.ts';

let relay: Awaited<ReturnType<typeof openRelay>>;
afterEach(() => relay.close());

const connect = (token = relay.token) => openRemoteHost({ shard: 's', url: relay.url, token });

test('I1: without the token no process starts', async () => {
  relay = await openRelay();
  for (const token of ['', 'relay-toke', 'relay-token2', 'RELAY-TOKEN'])
    expect((await connect(new Secret(token)).ended).reason).toContain('401');
  expect(relay.children).toHaveLength(0);
});

test('I2: a connection and its process end together, and others go on', async () => {
  relay = await openRelay();
  const [first, second, third] = [connect(), connect(), connect()];
  for (const each of [first, second, third]) expect(await each.host.ping()).toBe(true);
  const pids = await Promise.all([first, second, third].map(async ({ host }) => (await host.describe()).pid));
  expect(new Set(pids).size).toBe(3);
  const childOf = (index: number) => relay.children.find(({ pid }) => pid === pids[index]);
  await first.kill();
  await expect.poll(() => childOf(0)?.signalCode).toBe('SIGKILL');
  childOf(1)?.kill('SIGKILL');
  expect(await second.ended).toMatchObject({ expected: false });
  expect(await third.host.ping()).toBe(true);
});

test('I3: one connection too many is refused, and there is room again after one ended', async () => {
  relay = await openRelay({ maxHosts: 1 });
  const first = connect();
  expect(await first.host.ping()).toBe(true);
  expect((await connect().ended).reason).toContain('503');
  await first.kill();
  await expect.poll(async () => Promise.resolve(connect().host.ping()).catch(() => false)).toBe(true);
});
