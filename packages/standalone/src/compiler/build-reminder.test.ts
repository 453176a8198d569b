import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { BuildReminder } from './build-reminder.ts';

function open() {
  const clock = new VirtualClock();
  const notes: string[] = [];
  const command = 'npm run build';
  const reminder = new BuildReminder(clock, { outDir: 'dist', command, onNote: (text) => notes.push(text) });
  return { clock, notes, reminder };
}

describe('BuildReminder', () => {
  it('I1: names the build once, when the output has not followed a source', async () => {
    const { clock, notes, reminder } = open();
    reminder.sourceChanged('src/a.ts');
    reminder.fileChanged('host.json');
    await clock.advance(4_999);
    expect(notes).toEqual([]);
    await clock.advance(1);
    reminder.sourceChanged('src/a.ts');
    await clock.advance(60_000);
    expect(notes).toEqual(["src/a.ts changed, and dist did not follow: 'npm run build' builds this app."]);
  });

  it.each<[string, (reminder: BuildReminder) => void]>([
    ['the output follows', (reminder) => reminder.fileChanged('dist/index.js')],
    ['it is stopped', (reminder) => reminder.stop()],
  ])('I1: says nothing when %s', async (_when, end) => {
    const { clock, notes, reminder } = open();
    reminder.sourceChanged('src/a.ts');
    end(reminder);
    reminder.sourceChanged('src/b.ts');
    await clock.advance(60_000);
    reminder.stop();
    expect([notes, clock.pendingTimers]).toEqual([[], 0]);
  });
});
