import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { ScaleStore } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { openKeptHomes } from './kept-homes.ts';

function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const inner = openSqliteStore(':memory:');
  const state = { isAway: false, decider: 'one', writes: 0 };
  const store: ScaleStore = {
    read: (...given) => inner.read(...given),
    list: (...given) => inner.list(...given),
    remove: (...given) => inner.remove(...given),
    close: () => inner.close(),
    async write(...given) {
      state.writes += 1;
      if (state.isAway) throw new Error('the database is away');
      return await inner.write(...given);
    },
  };
  const open = (name = 'one') => openKeptHomes({ clock, log, store, mayDecide: () => state.decider === name });
  const stored = async (key = 'shop') => (await inner.read('home', key))?.body;
  return { clock, log, store: inner, state, open, stored };
}

describe('openKeptHomes', () => {
  it('I1: knows after a restart where an app was, by the latest note', async () => {
    const { state, open } = openRun();
    const homes = await open();
    expect(homes.of('shop')).toEqual([]);
    for (const runtimeIds of [['local'], ['local', 'north'], ['north']]) homes.note('shop', runtimeIds);
    homes.note('shop', ['north']);
    expect(homes.of('shop')).toEqual(['north']);
    await homes.settled();
    expect((await open()).of('shop')).toEqual(['north']);
    // What holds already is not written again.
    const { writes } = state;
    homes.note('shop', ['north']);
    await homes.settled();
    expect(state.writes).toBe(writes);
  });

  it('I1: tries again what could not be written', async () => {
    const { clock, log, state, open, stored } = openRun();
    const homes = await open();
    state.isAway = true;
    homes.note('shop', ['local']);
    await homes.settled();
    expect([await stored(), log.records.length]).toEqual([undefined, 1]);
    state.isAway = false;
    await clock.advance(2_000);
    await homes.settled();
    expect([await stored(), clock.pendingTimers]).toEqual([{ runtimeIds: ['local'] }, 0]);
  });

  it('I2: leaves the writing to the controller that decides, and writes once it does itself', async () => {
    const { clock, state, open, stored } = openRun();
    const [one, two] = [await open('one'), await open('two')];
    two.note('shop', ['two-1']);
    one.note('blog', ['one-1']);
    await Promise.all([one.settled(), two.settled()]);
    expect([await stored('shop'), await stored('blog')]).toEqual([undefined, { runtimeIds: ['one-1'] }]);
    state.decider = 'two';
    await clock.advance(2_000);
    await two.settled();
    expect(await stored('shop')).toEqual({ runtimeIds: ['two-1'] });
  });

  it('I3: takes for true what another controller has written meanwhile, and writes over that only knowingly', async () => {
    const { state, open, stored } = openRun();
    const [one, two] = [await open('one'), await open('two')];
    one.note('shop', ['north']);
    await one.settled();
    state.decider = 'two';
    two.note('shop', ['south']);
    await two.settled();
    expect([await stored(), two.of('shop')]).toEqual([{ runtimeIds: ['north'] }, ['north']]);
    two.note('shop', ['south']);
    await two.settled();
    expect(await stored()).toEqual({ runtimeIds: ['south'] });
  });

  it('I4: writes nothing more once it is frozen', async () => {
    const { clock, state, open, stored } = openRun();
    const homes = await open();
    homes.note('shop', ['north']);
    await homes.settled();
    state.isAway = true;
    homes.note('shop', ['south']);
    await homes.settled();
    state.isAway = false;
    homes.freeze();
    homes.note('shop', ['local']);
    await clock.advance(10_000);
    expect([await stored(), clock.pendingTimers]).toEqual([{ runtimeIds: ['north'] }, 0]);
  });

  it('forgets an app that is gone, and takes what nobody understands for not known', async () => {
    const { store, open, stored } = openRun();
    await store.write('home', 'odd', { runtimeIds: 'north' }, 0);
    const homes = await open();
    homes.note('shop', ['north']);
    await homes.forget('shop');
    await homes.forget('blog');
    expect([await stored(), homes.of('shop'), homes.of('odd')]).toEqual([undefined, [], []]);
  });
});
