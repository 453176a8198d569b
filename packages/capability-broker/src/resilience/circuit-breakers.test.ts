import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CircuitBreakers } from './circuit-breakers.ts';

const options = { window: 10, minimumCalls: 4, holdMs: 1_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

async function noteAll(breakers: CircuitBreakers, shard: string, outcomes: readonly boolean[]): Promise<void> {
  for (const outcome of outcomes) await breakers.note(shard, outcome);
}

test('I1: half of the calls failing opens a shard, once enough were seen', async () => {
  const breakers = new CircuitBreakers(options);
  await noteAll(breakers, 'a', [false, false, false]);
  expect(breakers.isOpen('a')).toBe(false);
  await noteAll(breakers, 'a', [false]);
  expect(breakers.isOpen('a')).toBe(true);
  await noteAll(breakers, 'b', [true, true, true, false, true, true, false]);
  expect(breakers.isOpen('b')).toBe(false);
});

test('I2: an open shard runs nothing, and one call decides after the hold', async () => {
  const breakers = new CircuitBreakers(options);
  await noteAll(breakers, 'a', [false, false, false, false]);
  let ran = 0;
  const work = async (): Promise<number> => {
    ran += 1;
    return ran;
  };
  await expect(breakers.run('a', work)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  expect(ran).toBe(0);
  vi.setSystemTime(Date.now() + 1_001);
  expect(await breakers.run('a', work)).toBe(1);
  expect(breakers.isOpen('a')).toBe(false);
});

test('I3: a shard that is open leaves the others alone, and can be forgotten', async () => {
  const breakers = new CircuitBreakers(options);
  await noteAll(breakers, 'a', [false, false, false, false]);
  expect([breakers.isOpen('a'), breakers.isOpen('b')]).toEqual([true, false]);
  breakers.forget('a');
  expect(breakers.isOpen('a')).toBe(false);
});
