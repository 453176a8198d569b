import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { openStore } from './open-store.ts';

it('opens the embedded store, which is there again after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-open-'));
  const choice = { kind: 'sqlite', file: join(folder, 'deeper', 'store.db') } as const;
  const clock = new VirtualClock();
  const write = { kind: 'put', documentKind: 'thing', key: 'a', tenantId: 't', value: 1 } as const;
  for (const outcome of ['committed', 'quotaExceeded']) {
    const store = await openStore({ clock }, choice, { quotas: { thing: 1 } });
    expect((await store.commit({ writes: [{ ...write, key: outcome }] })).kind).toBe(outcome);
    await store.close();
  }
  rmSync(folder, { recursive: true });
});

it('says that PostgreSQL is not there, without its password', async () => {
  const connectionString = new Secret('postgresql://me:hunter2@127.0.0.1:1/db');
  const failed = await openStore({ clock: new VirtualClock() }, { kind: 'postgresql', connectionString }).catch(String);
  expect(failed).toMatch(/The database PostgreSQL did not do what was asked: .*ECONNREFUSED/);
  expect(failed).not.toContain('hunter2');
});
