import { createDeferred, type Deferred } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { SourceBacklog } from '../decide/signals.ts';
import { answerMs, busyMs, maxAsked, openSourceWatch, quietMs, staleMs } from './source-watch.ts';

const waiting = (messageCount: number): readonly SourceBacklog[] => [
  { functionName: 'work', messageCount, oldestMs: messageCount > 0 ? 100 : undefined },
];

function open(apps: readonly string[] = ['shop']) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const asked: string[] = [];
  const run = {
    clock,
    log,
    asked,
    apps: new Set(apps),
    awake: new Set<string>(),
    decides: true,
    answer: async (_applicationId: string, _signal: AbortSignal): Promise<readonly SourceBacklog[]> => waiting(0),
  };
  const watch = openSourceWatch({
    clock,
    log,
    runtime: {
      listeningApps: () => [...run.apps],
      backlogs(applicationId, signal) {
        asked.push(applicationId);
        return run.answer(applicationId, signal);
      },
    },
    awakeApps: () => run.awake,
    mayDecide: () => run.decides,
  });
  return { ...run, run, watch };
}

describe('openSourceWatch', () => {
  it('I1: asks an app once at a time, and so many apps at once, whoever was due first', async () => {
    const names = Array.from({ length: maxAsked + 3 }, (_, index) => `app-${index}`);
    const { run, clock, asked, watch } = open(names);
    const answers: Deferred<readonly SourceBacklog[]>[] = [];
    run.answer = () => {
      const answer = createDeferred<readonly SourceBacklog[]>();
      answers.push(answer);
      return answer.promise;
    };
    await clock.advance(3 * busyMs);
    expect(asked).toEqual(names.slice(0, maxAsked));
    for (const answer of answers) answer.resolve(waiting(1));
    await clock.advance(busyMs);
    expect(asked.slice(maxAsked, maxAsked + 3)).toEqual(names.slice(maxAsked));
    expect(watch.waitingApps()).toHaveLength(maxAsked);
  });

  it('I2: asks often while something waits or works, and seldom otherwise', async () => {
    const { run, clock, asked, watch } = open();
    await clock.advance(busyMs);
    expect(asked).toHaveLength(1);
    await clock.advance(quietMs - 1);
    expect(asked).toHaveLength(1);
    run.answer = async () => waiting(3);
    await clock.advance(1);
    expect([asked.length, watch.of('shop'), watch.waitingApps()]).toEqual([2, waiting(3), ['shop']]);
    run.answer = async () => waiting(0);
    await clock.advance(busyMs);
    expect([asked.length, watch.waitingApps()]).toEqual([3, []]);
    run.awake.add('shop');
    await clock.advance(5 * busyMs);
    expect(asked).toHaveLength(8);
  });

  it('I3: keeps the last answer for a while when a source fails or says nothing, and logs it quietly', async () => {
    const { run, clock, log, watch } = open();
    run.answer = async () => waiting(3);
    await clock.advance(busyMs);
    let wasAborted = false;
    run.answer = (_, signal) => {
      signal.addEventListener('abort', () => {
        wasAborted = true;
      });
      return new Promise(() => {});
    };
    await clock.advance(busyMs + answerMs);
    expect([watch.of('shop'), wasAborted]).toEqual([waiting(3), true]);
    run.answer = () => Promise.reject(new Error('the account is away'));
    await clock.advance(staleMs);
    expect([watch.of('shop'), watch.waitingApps()]).toEqual([[], []]);
    expect(log.records.map(({ level }) => level)).toEqual(Array(log.records.length).fill('debug'));
    expect(log.records.some(({ fields }) => String(fields.reason).includes('the account is away'))).toBe(true);
  });

  it('I4: asks nothing while another decides, for apps that are gone, and after its end', async () => {
    const { run, clock, asked, watch } = open();
    run.answer = async () => waiting(1);
    run.decides = false;
    await clock.advance(10 * busyMs);
    expect(asked).toEqual([]);
    run.decides = true;
    await clock.advance(busyMs);
    expect(watch.waitingApps()).toEqual(['shop']);
    run.apps.clear();
    await clock.advance(busyMs);
    expect([asked.length, watch.waitingApps()]).toEqual([1, []]);
    run.apps.add('shop');
    watch.close();
    await clock.advance(60 * busyMs);
    expect([asked.length, clock.pendingTimers]).toEqual([1, 0]);
  });
});
