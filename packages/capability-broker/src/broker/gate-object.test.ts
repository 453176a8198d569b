import { expect, test } from 'vitest';
import { accountOf, openBroker } from '../testing/open-broker.ts';
import { GateObject, type Identity } from './gate-object.ts';

function open() {
  const { broker, register } = openBroker();
  register('a@1.0.0');
  register('a@2.0.0', {}, 0);
  const verify = (token: string): Identity | undefined =>
    ['user', 'root'].includes(token) ? { account: accountOf(token), administers: token === 'root' } : undefined;
  return { broker, gate: new GateObject({ broker, verify, memoryBudgetBytes: 100 }) };
}

test('I1: a bad token is not authenticated, and a good one may not administer', async () => {
  const { gate } = open();
  await expect(gate.authenticate('nobody')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(gate.authenticate({} as string)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(gate.administer('user')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect((await gate.authenticate('user')).list()).toHaveLength(1);
});

test('I2: after too many bad tokens a good one does not help', async () => {
  const { gate } = open();
  for (let count = 0; count < 5; count += 1) await gate.authenticate('x').catch(() => {});
  await expect(gate.authenticate('user')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('an administrator lists, warms, rolls out, drains and counts', async () => {
  const { gate, broker } = open();
  const admin = await gate.administer('root');
  expect(admin.list().map(({ version, weight, loaded }) => [version, weight, loaded])).toEqual([
    ['2.0.0', 0, 0],
    ['1.0.0', 100, 0],
  ]);
  expect(await admin.warm('a', '1.0.0', 5)).toBe(1);
  await admin.rollout('a', '2.0.0', 10);
  expect(admin.list().map(({ weight, loaded }) => [weight, loaded])).toEqual([
    [10, 1],
    [100, 1],
  ]);
  expect(admin.stats()).toMatchObject({
    leases: 0,
    memoryBudgetBytes: 100,
    instances: [{ state: 'warm' }, { state: 'warm' }],
  });
  await expect(admin.rollout('a', '2.0.0', 101)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  await expect(admin.rollout('a', '3.0.0', 1)).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
  await expect(admin.rollout('b', '3.0.0', 1)).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  expect(admin.drain('a', '1.0.0')).toBe(1);
  await broker.close();
});
