import { createDeferred } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type Credential, KeptCredential } from './kept-credential.ts';

const credential = (token: string, expiresAtMs = Number.POSITIVE_INFINITY): Credential => ({
  ...{ token, expiresAtMs },
  ...{ certificate: undefined, key: undefined },
});

describe('KeptCredential', () => {
  it('I1, I3: fetches once for all that wait, and anew some time after a failure', async () => {
    const clock = new VirtualClock();
    const fetched = createDeferred<Credential>();
    let fetches = 0;
    const kept = new KeptCredential(clock, () => {
      fetches += 1;
      return fetched.promise;
    });
    const waiting = [kept.credential(), kept.credential()];
    fetched.reject(new Error('away'));
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await clock.advance(4_999);
    await expect(kept.credential()).rejects.toThrow('away');
    expect(fetches).toBe(1);
    await clock.advance(1);
    await expect(kept.credential()).rejects.toThrow('away');
    expect(fetches).toBe(2);
  });

  it('I2: keeps a credential until its time is over, or until it was not taken', async () => {
    const clock = new VirtualClock();
    let fetches = 0;
    const fetch = async (): Promise<Credential> => {
      fetches += 1;
      return credential(`fetched ${fetches}`, clock.now() + 60_000);
    };
    const kept = new KeptCredential(clock, fetch, credential('given', clock.now() + 1_000));
    const token = async () => (await kept.credential()).token;
    expect(await token()).toBe('given');
    await clock.advance(1_000);
    expect([await token(), await token()]).toEqual(['fetched 1', 'fetched 1']);
    await clock.advance(59_999);
    expect(await token()).toBe('fetched 1');
    await clock.advance(1);
    expect(await token()).toBe('fetched 2');
    expect(kept.forget()).toBe(true);
    expect([await token(), await token()]).toEqual(['fetched 3', 'fetched 3']);
  });

  it('I3: forgets one credential in some time, however often it was not taken', async () => {
    const clock = new VirtualClock();
    let fetches = 0;
    const kept = new KeptCredential(clock, async () => {
      fetches += 1;
      return credential(`fetched ${fetches}`);
    });
    await kept.credential();
    expect([kept.forget(), (await kept.credential()).token]).toEqual([true, 'fetched 2']);
    expect([kept.forget(), (await kept.credential()).token]).toEqual([false, 'fetched 2']);
    await clock.advance(5_000);
    expect([kept.forget(), (await kept.credential()).token]).toEqual([true, 'fetched 3']);
  });
});
