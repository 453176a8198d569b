import { appScaleSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { AppScale } from './app-policy.ts';
import { openKeptDocuments } from './kept-documents.ts';

async function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const store = openSqliteStore(':memory:');
  const nothing: AppScale = {};
  const nameOf = (key: string) => `scale of app '${key}'`;
  const open = () =>
    openKeptDocuments({ clock, log, store }, { kind: 'scale', schema: appScaleSchema, nothing, nameOf });
  return { clock, log, store, open, kept: await open() };
}

describe('openKeptDocuments', () => {
  it('I1: holds at once here, and soon elsewhere', async () => {
    const { clock, kept, open } = await openRun();
    const other = await open();
    await kept.put('shop', { alwaysReady: 2 }, undefined);
    expect([kept.get('shop').body, [...kept.all.keys()]]).toEqual([{ alwaysReady: 2 }, ['shop']]);
    expect(other.get('shop')).toEqual({ body: {}, revision: 0 });
    await clock.advance(2_000);
    expect([other.get('shop').body, [...other.all.keys()]]).toEqual([{ alwaysReady: 2 }, ['shop']]);
    await other.forget('shop');
    await clock.advance(2_000);
    expect([kept.get('shop'), kept.all.size]).toEqual([{ body: {}, revision: 0 }, 0]);
    kept.close();
    other.close();
    await clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: refuses a writer that has seen something else', async () => {
    const { kept } = await openRun();
    const { revision } = await kept.put('shop', { maximum: 3 }, 0);
    await expect(kept.put('shop', { maximum: 9 }, 0)).rejects.toMatchObject({
      code: 'SCALE_REVISION_CONFLICT',
      message: expect.stringContaining("scale of app 'shop'"),
    });
    await kept.put('shop', { maximum: 5 }, revision);
    expect(kept.get('shop').body).toEqual({ maximum: 5 });
  });

  it('I3: takes what nobody understands for nothing', async () => {
    const { clock, kept, store, log } = await openRun();
    await store.write('scale', 'shop', { maximum: 'many' }, 0);
    await clock.advance(10_000);
    expect(kept.get('shop').body).toEqual({});
    expect(log.withMessage('What was kept of scale is not understood').length).toBe(1);
  });
});
