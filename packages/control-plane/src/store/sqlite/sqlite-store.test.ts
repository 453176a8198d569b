import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { Store } from '../contract.ts';
import { describeStoreContract, type OpenedStore, put, sampleEvent } from '../testing/store-contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

async function open({ quotas = {} } = {}): Promise<OpenedStore> {
  const clock = new VirtualClock();
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-store-'));
  const options = { file: join(folder, 'store.db'), quotas };
  const stores: Store[] = [];
  const openOne = async (): Promise<Store> => {
    const store = openSqliteStore({ clock }, options);
    stores.push(store);
    return store;
  };
  return {
    store: await openOne(),
    clock,
    join: openOne,
    close: async () => {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeStoreContract('the embedded store', open);

describe('the embedded store', () => {
  it('I1: commits of one turn share a transaction, and each has its own outcome', async () => {
    const { store, close } = await open();
    const outcomes = await Promise.all([
      store.commit({ writes: [put('a', 1, 0)] }),
      store.commit({ writes: [put('a', 2, 0)] }),
      store.commit({ writes: [put('a', 3, 1)] }),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'conflict', 'committed']);
    expect((await store.documents.get('thing', 'a'))?.value).toBe(3);
    await close();
  });

  it('I2: another process sees what was committed, at once', async () => {
    const { store, join: joinStore, close } = await open();
    const other = await joinStore();
    for (let round = 1; round <= 5; round += 1) {
      await store.commit({ writes: [put('a', round)] });
      expect((await other.documents.get('thing', 'a'))?.value).toBe(round);
    }
    await close();
  });

  it('I3: a sweep takes as many steps as it needs', async () => {
    const { store, clock, close } = await open();
    const writes = Array.from({ length: 900 }, (_, index) => ({
      ...put(`k${index}`, 1),
      expiresAtMs: clock.now() + 1,
    }));
    await store.commit({ writes });
    await store.commit({ writes: writes.map((write) => ({ ...write, key: `${write.key}x` })) });
    await store.commit({ events: [{ topic: 't', envelope: sampleEvent(clock) }] });
    await clock.advance(1);
    const counts = await store.sweep({ inboxMs: 0, eventsMs: 0, auditMs: 0 });
    expect(counts).toEqual({ documents: 1_800, inbox: 0, events: 0, audit: 0 });
    await close();
  });

  it('is closed for good: what is asked for later is refused with a reason', async () => {
    const { store, close } = await open();
    await store.close();
    await expect(store.commit({ writes: [put('a', 1)] })).rejects.toThrow(/The store is closed/);
    await expect(store.documents.get('thing', 'a')).rejects.toThrow(/The store is closed/);
    await close();
  });
});
