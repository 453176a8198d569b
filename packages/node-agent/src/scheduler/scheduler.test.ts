import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WaitingJob } from './pick-next.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';

const job = (id: string, master = '', lane: WaitingJob['lane'] = 'job'): WaitingJob => ({ id, lane, master });

function open(options: Partial<SchedulerOptions> = {}) {
  const started: string[] = [];
  const scheduler = new Scheduler((jobId) => started.push(jobId), {
    maxConcurrentJobs: 2,
    maxPods: 1,
    maxQueued: 100,
    fairness: 'fifo',
    ...options,
  });
  return { scheduler, started };
}

describe('Scheduler', () => {
  it('I1: runs as many jobs as there are places, and pods in places of their own', () => {
    const { scheduler, started } = open();
    for (const id of ['a', 'b', 'c']) scheduler.offer(job(id));
    for (const id of ['p', 'q']) scheduler.offer(job(id, '', 'pod'));
    expect(started).toEqual(['a', 'b', 'p']);
    expect([scheduler.running('job'), scheduler.running('pod'), scheduler.queued]).toEqual([2, 1, 2]);
  });

  it('I2: starts a job once, and not after it was withdrawn', () => {
    const { scheduler, started } = open({ maxConcurrentJobs: 1 });
    scheduler.offer(job('a'));
    scheduler.offer(job('a'));
    scheduler.offer(job('b'));
    expect(scheduler.withdraw('b')).toBe(true);
    expect(scheduler.withdraw('b')).toBe(false);
    expect(scheduler.withdraw('a')).toBe(false);
    scheduler.ended('a');
    scheduler.ended('a');
    expect(started).toEqual(['a']);
    expect(scheduler.running('job')).toBe(0);
  });

  it('I3: starts in the order in which jobs were offered', () => {
    const { scheduler, started } = open({ maxConcurrentJobs: 1 });
    const ids = Array.from({ length: 20 }, (_, index) => `j${index}`);
    for (const id of ids) scheduler.offer(job(id));
    for (const id of ids) scheduler.ended(id);
    expect(started).toEqual(ids);
  });

  it('I4: turns jobs away when too many wait, but not those of an earlier run', () => {
    const { scheduler } = open({ maxConcurrentJobs: 1, maxQueued: 2 });
    expect(['a', 'b', 'c', 'd'].map((id) => scheduler.offer(job(id)))).toEqual([true, true, true, false]);
    expect(scheduler.isFull).toBe(true);
    scheduler.readmit(job('d'));
    expect(scheduler.queued).toBe(3);
  });

  it('I5: fills a place at once, also when a start ends its job within itself', () => {
    const started: string[] = [];
    const scheduler: Scheduler = new Scheduler(
      (jobId) => {
        started.push(jobId);
        scheduler.ended(jobId);
      },
      { maxConcurrentJobs: 1, maxPods: 0, maxQueued: 10, fairness: 'fifo' },
    );
    scheduler.pause();
    for (const id of ['a', 'b', 'c']) scheduler.offer(job(id));
    expect(started).toEqual([]);
    scheduler.resume();
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('I6: lets masters take turns', () => {
    const { scheduler, started } = open({ maxConcurrentJobs: 1, fairness: 'master' });
    for (const id of ['a1', 'a2', 'a3', 'a4']) scheduler.offer(job(id, 'a'));
    for (const id of ['b1', 'b2']) scheduler.offer(job(id, 'b'));
    for (let index = 0; index < 6; index += 1) scheduler.ended(started.at(-1) ?? '');
    expect(started).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('counts a job that ran before it came', () => {
    const { scheduler, started } = open({ maxConcurrentJobs: 1 });
    scheduler.adopt(job('old'));
    scheduler.offer(job('new'));
    scheduler.offer(job('old'));
    expect(started).toEqual([]);
    scheduler.ended('old');
    expect(started).toEqual(['new']);
  });

  it('I1, I2, I4, I5: hold whatever happens', () => {
    const action = fc.record({
      kind: fc.constantFrom('offer', 'end', 'withdraw', 'pause', 'resume'),
      id: fc.integer({ min: 0, max: 15 }),
    });
    const options = fc.record({
      maxConcurrentJobs: fc.integer({ min: 1, max: 3 }),
      maxPods: fc.integer({ min: 0, max: 2 }),
      maxQueued: fc.integer({ min: 1, max: 5 }),
      fairness: fc.constantFrom('fifo' as const, 'master' as const),
    });
    fc.assert(
      fc.property(options, fc.array(action, { maxLength: 60 }), (given, actions) => {
        const { scheduler, started } = open(given);
        const live = new Set<string>();
        const waiting = new Set<string>();
        let isPaused = false;
        for (const { kind, id } of actions) {
          const name = `j${id}`;
          const before = started.length;
          if (kind === 'offer' && !live.has(name) && !waiting.has(name)) {
            if (scheduler.offer(job(name, `m${id % 3}`, id % 4 === 0 ? 'pod' : 'job'))) waiting.add(name);
          } else if (kind === 'end' && live.delete(name)) scheduler.ended(name);
          else if (kind === 'withdraw') expect(scheduler.withdraw(name)).toBe(waiting.delete(name));
          else if (kind === 'pause') isPaused = true;
          else if (kind === 'resume') isPaused = false;
          if (kind === 'pause') scheduler.pause();
          if (kind === 'resume') scheduler.resume();
          for (const one of started.slice(before)) {
            expect(waiting.delete(one)).toBe(true);
            live.add(one);
          }
          const isPod = (one: string): boolean => Number(one.slice(1)) % 4 === 0;
          const pods = [...live].filter(isPod).length;
          expect([scheduler.running('job'), scheduler.running('pod')]).toEqual([live.size - pods, pods]);
          expect(scheduler.queued).toBe(waiting.size);
          expect(waiting.size).toBeLessThanOrEqual(given.maxQueued);
          expect(live.size - pods).toBeLessThanOrEqual(given.maxConcurrentJobs);
          expect(pods).toBeLessThanOrEqual(given.maxPods);
          const hasPlace = (one: string): boolean =>
            isPod(one) ? pods < given.maxPods : live.size - pods < given.maxConcurrentJobs;
          if (!isPaused) expect([...waiting].filter(hasPlace)).toEqual([]);
        }
      }),
    );
  });
});
