import { createDeferred, Secret } from '@switchyard/kernel';
import type {
  LockRequest,
  SingletonLock,
  SingletonLocks,
  StorageConnection,
  TimerStatusStore,
} from '@switchyard/triggers';
import { describe, expect, it } from 'vitest';
import { createOptionalLocks, createOptionalTimerStatus, createStorageLocks } from './optional-storage.ts';

const { signal } = new AbortController();
const connectionOf = (text: string): StorageConnection => {
  return { connectionString: new Secret(text), queueEndpoint: 'http://127.0.0.1:10001/devstoreaccount1' };
};
const emulator = connectionOf('UseDevelopmentStorage=true');
const account = connectionOf('AccountName=shop;AccountKey=a2V5;BlobEndpoint=https://shop.example');
const opened = Promise.resolve();
const present = { opened, isListening: async () => true };
const absent = { opened, isListening: async () => false };

/** Locks that note which storage they were asked in. */
function notingLocks(): SingletonLocks & { readonly asked: unknown[]; readonly watched: unknown[] } {
  const asked: unknown[] = [];
  const watched: unknown[] = [];
  return {
    asked,
    watched,
    async acquire({ connection }): Promise<SingletonLock | undefined> {
      asked.push(connection);
      return undefined;
    },
    watch({ connection }) {
      watched.push(connection);
      return () => watched.splice(watched.indexOf(connection), 1);
    },
  };
}

const requestIn = (connection: StorageConnection | undefined): LockRequest => {
  return { connection, hostId: 'shop', lockId: 'Host.Functions.tick.Listener', periodMs: 15_000 };
};

describe('createOptionalLocks', () => {
  it('I1: asks nothing before the emulator has opened, nor after the asker has given up', async () => {
    const inner = notingLocks();
    const opening = createDeferred<void>();
    const locks = createOptionalLocks(inner, { ...present, opened: opening.promise });
    const givenUp = new AbortController();
    const waiting = locks.acquire(requestIn(emulator), signal);
    const vain = locks.acquire(requestIn(emulator), givenUp.signal);
    givenUp.abort();
    await expect(vain).rejects.toThrow();
    expect(inner.asked).toEqual([]);
    opening.resolve();
    await waiting;
    expect(inner.asked).toEqual([emulator]);
  });

  it('I2: takes the lock within the process where the emulator is absent, and only there', async () => {
    for (const [storage, connection, expected] of [
      [absent, emulator, undefined],
      [absent, account, account],
      [absent, undefined, undefined],
      [present, emulator, emulator],
    ] as const) {
      const inner = notingLocks();
      await createOptionalLocks(inner, storage).acquire(requestIn(connection), signal);
      expect(inner.asked).toEqual([expected]);
    }
  });

  it('I2: hears of both locks that a name may stand for', () => {
    const inner = notingLocks();
    const stop = createOptionalLocks(inner, present).watch(requestIn(emulator), () => {});
    expect(inner.watched).toEqual([emulator, undefined]);
    stop();
    expect(inner.watched).toEqual([]);
  });
});

describe('createStorageLocks', () => {
  it('takes locks in storage, and none where that is absent', async () => {
    for (const [storage, connection, expected] of [
      [absent, emulator, []],
      [absent, account, [account]],
      [present, undefined, []],
      [present, emulator, [emulator]],
    ] as const) {
      const inner = notingLocks();
      await createStorageLocks(inner, storage).acquire(requestIn(connection), signal);
      expect(inner.asked).toEqual(expected);
    }
  });

  it('hears of the lock in storage', () => {
    const inner = notingLocks();
    createStorageLocks(inner, present).watch(requestIn(emulator), () => {})();
    expect(inner.watched).toEqual([]);
  });
});

describe('createOptionalTimerStatus', () => {
  const key = { applicationId: 'shop', hostId: 'shop', functionName: 'tick' };
  const status = { lastMs: 1, nextMs: 2, lastUpdatedMs: 1 };

  /** A store that notes its calls under a name. */
  const noting = (name: string, calls: string[]): TimerStatusStore => ({
    read: async () => void calls.push(`${name} read`),
    write: async () => void calls.push(`${name} write`),
  });

  const callsWith = async (storage: typeof present, connection: StorageConnection | undefined): Promise<string[]> => {
    const calls: string[] = [];
    const store = createOptionalTimerStatus(
      {
        connectionOf: (applicationId) => (applicationId === 'shop' ? connection : undefined),
        inStorage: () => noting('storage', calls),
        fallback: noting('fallback', calls),
      },
      storage,
    );
    await store.read(key, signal);
    await store.write(key, status);
    return calls;
  };

  it('I2: reads and writes in the storage of the app, or in the fallback where that is absent', async () => {
    const inStorage = ['storage read', 'storage write'];
    const inFallback = ['fallback read', 'fallback write'];
    expect(await callsWith(present, emulator)).toEqual(inStorage);
    expect(await callsWith(absent, emulator)).toEqual(inFallback);
    expect(await callsWith(absent, account)).toEqual(inStorage);
    expect(await callsWith(present, undefined)).toEqual(inFallback);
  });
});
