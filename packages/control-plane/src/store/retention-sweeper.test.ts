import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { DocumentWrite, Store } from './contract.ts';
import { startRetentionSweeper } from './retention-sweeper.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { put } from './testing/store-contract.ts';

const hourMs = 3_600_000;

function open(): { clock: VirtualClock; store: Store; log: ReturnType<typeof createMemoryLog> } {
  const clock = new VirtualClock();
  return { clock, store: openSqliteStore({ clock }, { file: ':memory:' }), log: createMemoryLog() };
}

async function putExpiring(store: Store, clock: VirtualClock, key: string, afterMs: number): Promise<void> {
  await store.commit({ writes: [{ ...put(key, 1), expiresAtMs: clock.now() + afterMs } as DocumentWrite] });
}

describe('startRetentionSweeper', () => {
  it('I1: sweeps once every interval, and says how much it removed', async () => {
    const { clock, store, log } = open();
    await putExpiring(store, clock, 'soon', 1);
    await putExpiring(store, clock, 'later', 90 * 60_000);
    const sweeper = startRetentionSweeper({ clock, log, store }, { holder: 'here' });
    await clock.advance(hourMs - 1);
    expect(await store.documents.count('thing')).toBe(2);
    await clock.advance(1);
    expect(await store.documents.count('thing')).toBe(1);
    await clock.advance(hourMs);
    expect(await store.documents.count('thing')).toBe(0);
    await clock.advance(5 * hourMs);
    expect(log.withMessage('Removed what outstayed its time').map(({ fields }) => fields.documents)).toEqual([1, 1]);
    await sweeper.stop();
  });

  it('I2: passes while another sweeper works', async () => {
    const { clock, store, log } = open();
    await putExpiring(store, clock, 'soon', 1);
    const sweeper = startRetentionSweeper({ clock, log, store }, { holder: 'here' });
    await clock.advance(hourMs - 1_000);
    const other = await store.leases.acquire('retention-sweeper', 'there', 60_000);
    await clock.advance(1_000);
    expect(await store.documents.count('thing')).toBe(1);
    expect(other.kind).toBe('held');
    await clock.advance(hourMs);
    expect(await store.documents.count('thing')).toBe(0);
    await sweeper.stop();
  });

  it('I3: goes on after a failure', async () => {
    const { clock, store, log } = open();
    let failures = 1;
    const flaky = {
      leases: store.leases,
      sweep: (policy: Parameters<Store['sweep']>[0]) => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new Error('disk full')) : store.sweep(policy);
      },
    };
    await putExpiring(store, clock, 'soon', 1);
    const sweeper = startRetentionSweeper({ clock, log, store: flaky }, { holder: 'here' });
    await clock.advance(hourMs);
    const [failed] = log.withMessage('What outstayed its time could not be removed');
    expect(failed?.fields).toEqual({ error: 'disk full' });
    await clock.advance(hourMs);
    expect(await store.documents.count('thing')).toBe(0);
    await sweeper.stop();
  });

  it('I4: a stopped one sweeps no more', async () => {
    const { clock, store, log } = open();
    await putExpiring(store, clock, 'soon', 1);
    const sweeper = startRetentionSweeper({ clock, log, store }, { holder: 'here' });
    await sweeper.stop();
    await clock.advance(3 * hourMs);
    expect(await store.documents.count('thing')).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
