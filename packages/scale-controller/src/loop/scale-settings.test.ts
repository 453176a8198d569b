import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { openScaleSettings } from './scale-settings.ts';

async function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const store = openSqliteStore(':memory:');
  const open = () => openScaleSettings({ clock, log, store });
  return { clock, log, store, open, settings: await open() };
}

describe('openScaleSettings', () => {
  it('I1: holds at once here, and soon elsewhere', async () => {
    const { clock, settings, open } = await openRun();
    const other = await open();
    await settings.put('shop', { alwaysReady: 2 }, undefined);
    expect([settings.get('shop').scale, settings.keepers()]).toEqual([{ alwaysReady: 2 }, ['shop']]);
    expect(other.get('shop')).toEqual({ scale: {}, revision: 0 });
    await clock.advance(2_000);
    expect([other.get('shop').scale, other.keepers()]).toEqual([{ alwaysReady: 2 }, ['shop']]);
    await other.forget('shop');
    await clock.advance(2_000);
    expect([settings.get('shop'), settings.keepers()]).toEqual([{ scale: {}, revision: 0 }, []]);
    settings.close();
    other.close();
    await clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: refuses a writer that has seen something else', async () => {
    const { settings } = await openRun();
    const { revision } = await settings.put('shop', { maximum: 3 }, 0);
    await expect(settings.put('shop', { maximum: 9 }, 0)).rejects.toMatchObject({ code: 'SCALE_REVISION_CONFLICT' });
    await settings.put('shop', { maximum: 5 }, revision);
    expect(settings.get('shop').scale).toEqual({ maximum: 5 });
  });

  it('I3: takes what nobody understands for nothing', async () => {
    const { clock, settings, store, log } = await openRun();
    await store.write('scale', 'shop', { maximum: 'many' }, 0);
    await clock.advance(10_000);
    expect(settings.get('shop').scale).toEqual({});
    expect(log.withMessage('The kept scale of an app is not understood').length).toBe(1);
  });
});
