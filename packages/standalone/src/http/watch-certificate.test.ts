import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import type { CertificatePair } from './check-certificate.ts';
import { watchCertificate } from './watch-certificate.ts';

const first: CertificatePair = { certificate: 'one', key: 'one' };

function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const shown: string[] = [];
  const state: { now: CertificatePair | Error } = { now: first };
  const close = watchCertificate(
    {
      ...{ clock, log },
      read: async () => {
        if (state.now instanceof Error) throw state.now;
        return state.now;
      },
      show: ({ certificate }) => shown.push(certificate),
    },
    first,
  );
  const messages = (): readonly string[] => log.records.map(({ level }) => level);
  return { clock, shown, state, close, messages };
}

it('shows a renewed pair once, until it is closed', async () => {
  const { clock, shown, state, close } = openRun();
  await clock.advance(20_000);
  expect(shown).toEqual([]);
  state.now = { certificate: 'two', key: 'two' };
  await clock.advance(30_000);
  expect(shown).toEqual(['two']);
  close();
  state.now = first;
  await clock.advance(30_000);
  expect([shown, clock.pendingTimers]).toEqual([['two'], 0]);
});

it('I1, I2: keeps what it shows while the new one is of no use, and says so once when that lasts', async () => {
  const { clock, shown, state, close, messages } = openRun();
  state.now = new Error('the key belongs to another certificate');
  await clock.advance(10_000);
  expect([shown, messages()]).toEqual([[], []]);
  await clock.advance(40_000);
  expect([shown, messages()]).toEqual([[], ['warning']]);
  state.now = { certificate: 'three', key: 'three' };
  await clock.advance(10_000);
  expect([shown, messages()]).toEqual([['three'], ['warning', 'information']]);
  close();
});
