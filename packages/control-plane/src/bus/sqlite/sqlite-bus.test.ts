import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';

import { describeBusContract } from '../testing/bus-contract.ts';
import { openSqliteBus } from './sqlite-bus.ts';

describeBusContract(
  'the embedded bus',
  async () => {
    const clock = new VirtualClock();
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-bus-'));
    const forgotten: string[] = [];
    const inbox = {
      forget: async (subscription: string, ids: readonly string[]) => {
        forgotten.push(...ids.map((id) => `${subscription}/${id}`));
      },
    };
    const bus = openSqliteBus({ clock, random: createSeededRandom(1), inbox }, { file: join(folder, 'bus.db') });
    return {
      bus,
      topic: 'runtime-events',
      forgotten,
      now: () => clock.now(),
      run: (promise) => clock.runUntil(promise),
      elapse: (timeMs) => clock.advance(timeMs),
      close: async () => {
        await bus.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  { lockMs: 5_000, quietMs: 100 },
);
