import { MessageChannel } from 'node:worker_threads';
import { createCapabilities } from '@switchyard/capabilities';
import { systemClock } from '@switchyard/kernel';
import { afterEach, expect, test, vi } from 'vitest';
import { servePort } from '../rpc/serve-session.ts';
import { accountOf, openBroker } from '../testing/open-broker.ts';
import { AccountObject } from './account-object.ts';
import type { Identity } from './gate-object.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function open() {
  const world = openBroker();
  world.register('a@1.0.0');
  const verify = (token: string): Identity | undefined =>
    token.startsWith('token-') ? { account: accountOf(token.slice(6)), administers: false } : undefined;
  const client = (account: string) => {
    const { port1, port2 } = new MessageChannel();
    servePort({ broker: world.broker, clock: systemClock, verify, memoryBudgetBytes: 1 }, port1);
    const created = createCapabilities({
      endpoint: () => port2,
      token: () => `token-${account}`,
      now: () => world.clock.now(),
    });
    closers.push(() => created.close());
    return created;
  };
  return { ...world, client };
}

test('I1: the account is the one of the token', async () => {
  const { broker, client } = open();
  const caps = await client('x').acquire({ required: ['a'], accountId: 'y' } as object);
  expect(broker.leases.all()).toMatchObject([{ account: 'x', name: 'a' }]);
  expect(await caps.get('a').echo?.(1)).toMatchObject({ account: 'x', parameters: [1] });
});

test('I2: release ends leases of this session only, by name or lease id', async () => {
  const { broker, client } = open();
  const [first, second, other] = [client('x'), client('x'), client('y')];
  for (const each of [first, second, other]) await each.acquire({ required: ['a'] });
  const foreign = broker.leases.all().map((lease) => lease.leaseId);
  await other.release(foreign.slice(0, 2));
  expect(broker.leases.size).toBe(3);
  await first.release(['a', 'nothing', '__proto__']);
  expect(broker.leases.size).toBe(2);
  await second.release([foreign[1] ?? '']);
  expect(broker.leases.all()).toMatchObject([{ account: 'y' }]);
});

test('I2: a release that names nothing it could end is refused, and ends nothing', async () => {
  const { broker, client } = open();
  const one = client('x');
  await one.acquire({ required: ['a'] });
  const account = new AccountObject(broker, accountOf('x'));
  for (const wrong of [5, 'a', null, { 0: 'a' }, ['a', 5], Array<string>(1_001).fill('a')]) {
    const released = one.release(wrong as string[]);
    await expect(released, JSON.stringify(wrong)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  }
  expect(() => account.release(undefined as unknown as string[])).toThrow('it is no list of at most 1000 texts');
  expect(broker.leases.size).toBe(1);
});

test('I2: a session that ends gives back all its leases', async () => {
  const { broker, client } = open();
  const [first, second] = [client('x'), client('y')];
  for (let count = 0; count < 3; count += 1) await first.acquire({ required: ['a'] });
  await second.acquire({ required: ['a'] });
  expect(broker.leases.size).toBe(4);
  first.close();
  await vi.waitFor(() => expect(broker.leases.all()).toMatchObject([{ account: 'y' }]));
});

test('I3: a direct route goes only to who can take it', async () => {
  const { broker } = open();
  const account = new AccountObject(broker, accountOf('x'));
  const [near, far] = [
    await account.acquire({ required: ['a'], reachesHosts: true }),
    await account.acquire({ required: ['a'] }),
  ];
  expect(near.handles[0]).toMatchObject({
    target: null,
    direct: { address: expect.stringMatching(/^unix:.*a@1\.0\.0/) },
  });
  expect(near.handles[0]?.direct?.ticket).toHaveLength(32);
  expect([far.handles[0]?.direct, typeof far.handles[0]?.target]).toEqual([null, 'object']);
});

test('both shapes of answers arrive whole', async () => {
  const { client } = open();
  const caps = await client('x').acquire({ required: ['a'], optional: ['b'], version: '>=1.0' });
  expect(caps).toMatchObject({ success: true, acquired: ['a'], missing: ['b'] });
  expect([...caps.endpoints.keys(), ...caps.handles.keys()]).toEqual(['a', 'a']);
  expect(caps.errors.get('b')).toMatch(/^CAPABILITY_NOT_FOUND: There is no capability 'b'/);
  expect(await client('x').list()).toEqual([
    { name: 'a', version: '1.0.0', tier: 2, estimatedLoadTime: 0, dependencies: [] },
  ]);
  expect(await client('x').health()).toEqual({
    status: 'healthy',
    capabilities: [{ name: 'a', version: '1.0.0', shard: 'a:shard-0', status: 'healthy', detail: 'warm' }],
  });
});

test('a wrong request is an error for its sender only', async () => {
  const { client } = open();
  const one = client('x');
  await expect(one.acquire({ required: ['NO!'] })).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', retryable: false });
  expect((await one.acquire({ required: ['a'] })).success).toBe(true);
});
