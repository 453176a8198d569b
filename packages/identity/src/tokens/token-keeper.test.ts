import { inspect } from 'node:util';
import { createDeferred, Secret } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { forgeUnsigned } from '../testing/forge.ts';
import { createTokenKeeper, type TokenKeeper } from './token-keeper.ts';

const hourMs = 3_600_000;

let clock: VirtualClock;
let log: MemoryLog;
let keeper: TokenKeeper;
let renewals: { readonly token: Secret; readonly signal: AbortSignal; readonly atMs: number }[];
/** How the next renewals go. */
let answer: () => Promise<Secret>;
let serial: number;

/** A token for an hour from now. */
function token(lifetimeMs = hourMs): Secret {
  serial += 1;
  return new Secret(
    forgeUnsigned({ exp: (clock.now() + lifetimeMs) / 1_000, jti: `token-${serial}` }, { alg: 'none' }),
  );
}

beforeEach(() => {
  clock = new VirtualClock();
  log = createMemoryLog(clock);
  renewals = [];
  serial = 0;
  answer = async () => token();
  keeper = createTokenKeeper({
    clock,
    log,
    random: createSeededRandom(1),
    renew: (old, signal) => {
      renewals.push({ token: old, signal, atMs: clock.monotonic() });
      return answer();
    },
  });
});

describe('the keeper of a token', () => {
  it('I1, I2: renews a token at half of its time, and again and again', async () => {
    const first = token();
    expect(keeper.freshest(first)).toBe(first);
    await clock.advance(hourMs / 2 - 1);
    expect(keeper.freshest(first)).toBe(first);
    await clock.advance(1);
    const second = keeper.freshest(first);
    expect(second).not.toBe(first);
    await clock.advance(10 * hourMs);
    expect(renewals).toHaveLength(21);
    expect(renewals[0]?.token).toBe(first);
    expect(renewals[1]?.token).toBe(second);
    expect(clock.pendingTimers).toBe(1);
  });

  it('I1: begins anew with another token', async () => {
    const [first, other] = [token(), token(2 * hourMs)];
    keeper.freshest(first);
    await clock.advance(hourMs / 2);
    expect(keeper.freshest(other)).toBe(other);
    await clock.advance(hourMs);
    expect(renewals.map((each) => each.token)).toEqual([first, other]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('I2: tries again with growing waits, and gives up when the token has ended', async () => {
    answer = async () => {
      throw new Error('the control plane is away');
    };
    const only = token();
    keeper.freshest(only);
    await clock.advance(2 * hourMs);
    const waits = renewals.slice(1).map(({ atMs }, index) => atMs - (renewals[index]?.atMs ?? 0));
    expect(waits[0]).toBeLessThan(2_000);
    expect(Math.max(...waits)).toBeGreaterThan(200_000);
    expect(renewals.length).toBeLessThan(30);
    expect(renewals.at(-1)?.atMs).toBeLessThanOrEqual(hourMs);
    expect(log.withMessage('A token has ended before it could be renewed.')).toHaveLength(1);
    expect(keeper.freshest(only)).toBe(only);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: recovers when the control plane comes back', async () => {
    const good = answer;
    answer = async () => {
      throw new Error('away');
    };
    const first = token();
    keeper.freshest(first);
    await clock.advance(hourMs / 2 + 10_000);
    answer = good;
    await clock.advance(60_000);
    expect(keeper.freshest(first)).not.toBe(first);
  });

  it('I3: gives a renewal ten seconds, and one at a time', async () => {
    const never = createDeferred<Secret>();
    answer = () => never.promise;
    const first = token();
    keeper.freshest(first);
    await clock.advance(hourMs / 2 + 9_999);
    expect(renewals).toHaveLength(1);
    expect(renewals[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(renewals[0]?.signal.aborted).toBe(true);
    never.resolve(token());
    await clock.settle();
    expect(keeper.freshest(first)).toBe(first);
  });

  it('I3: drops the successor of a token that is not kept any more', async () => {
    const late = createDeferred<Secret>();
    answer = () => late.promise;
    const [first, other] = [token(), token()];
    keeper.freshest(first);
    await clock.advance(hourMs / 2);
    keeper.freshest(other);
    expect(renewals[0]?.signal.aborted).toBe(true);
    late.resolve(token());
    await clock.settle();
    expect(keeper.freshest(other)).toBe(other);
  });

  it('I4: does nothing after it was closed', async () => {
    const late = createDeferred<Secret>();
    answer = () => late.promise;
    const first = token();
    keeper.freshest(first);
    await clock.advance(hourMs / 2);
    keeper.close();
    keeper.close();
    expect(renewals[0]?.signal.aborted).toBe(true);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
    expect(keeper.freshest(first)).toBe(first);
    await clock.advance(hourMs);
    expect(renewals).toHaveLength(1);
  });

  it.each(['', 'token', 'a.b.c', `a.${Buffer.from('{"exp":"soon"}').toString('base64url')}.c`])(
    "I2: passes on '%s', which names no end, and says so",
    (text) => {
      const odd = new Secret(text);
      expect(keeper.freshest(odd)).toBe(odd);
      expect(clock.pendingTimers).toBe(0);
      expect(log.withMessage('A token names no end, so it is not renewed.')).toHaveLength(1);
    },
  );

  it('I2: logs no token', async () => {
    const first = token();
    keeper.freshest(first);
    answer = async () => {
      throw new Error('away');
    };
    await clock.advance(2 * hourMs);
    expect(log.records.length).toBeGreaterThan(3);
    expect(inspect(log.records, { depth: 9 })).not.toContain(first.reveal().slice(0, 20));
  });
});
