/** The contract of `JobStore`, run on every implementation. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobChange } from '../jobs/job.ts';
import type { JobQuery, JobStore } from '../jobs/job-store.ts';
import { sampleJob } from './sample-job.ts';

const all: JobQuery = { states: undefined, lifecycle: undefined, labels: [], limit: 1_000, before: undefined };
const generous = { maxJobs: 1_000, maxAgeMs: 1_000_000, maxOutputBytes: 1_000_000 };

/** A job's end, as a change. */
export function finishedAt(finishedAtMs: number, stdout = ''): JobChange {
  return { state: 'finished', finishedAtMs, exitCode: 0, stdout };
}

export function describeJobStoreContract(name: string, open: () => JobStore): void {
  describe(`${name} keeps the JobStore contract`, () => {
    let store: JobStore;
    beforeEach(() => {
      store = open();
    });
    afterEach(() => store.close());

    it('takes an id once, and keeps the order of arrival', () => {
      expect(store.insert(sampleJob('a'))).toMatchObject({ id: 'a', state: 'queued', sequence: 1 });
      expect(store.insert(sampleJob('b'))).toMatchObject({ sequence: 2 });
      expect(store.insert(sampleJob('a'))).toBeUndefined();
      expect(store.unfinished().map(({ id }) => id)).toEqual(['a', 'b']);
      expect(store.get('missing')).toBeUndefined();
    });

    it('takes ids that mean something to JavaScript and to SQL', () => {
      for (const id of ['__proto__', 'constructor', "'; DROP TABLE jobs; --", '%', 'ü/ñ'])
        expect(store.insert(sampleJob(id))).toMatchObject({ id });
      expect(store.get('__proto__')?.id).toBe('__proto__');
      expect(store.get('toString')).toBeUndefined();
      expect(store.counts().queued).toBe(5);
    });

    it('gives back what an update returned', () => {
      store.insert(sampleJob('a', { labels: { master: 'm' } }));
      const running = store.update('a', { state: 'running', startedAtMs: 5 });
      expect(store.get('a')).toEqual(running);
      const output = 'line\n\0\u{1f600}'.repeat(100);
      const ended = store.update('a', { ...finishedAt(9, output), stderr: 'err', stdoutDroppedBytes: 3 });
      expect(store.get('a')).toEqual(ended);
      expect(store.get('a')).toMatchObject({ state: 'finished', stdout: output, stderr: 'err' });
      expect(() => store.update('a', { exitCode: 1 })).toThrow('has ended');
      expect(() => store.update('none', {})).toThrow('no job none');
    });

    it('lists newest first, in pages, by state, lifecycle and labels', () => {
      for (let index = 0; index < 7; index += 1) {
        const labels = { master: index % 2 === 0 ? 'even' : 'odd', '"quoted\'': 'x' };
        store.insert(sampleJob(`j${index}`, { labels, runtime: { lifecycle: index === 6 ? 'pod' : 'job' } }));
      }
      store.update('j0', { state: 'running', startedAtMs: 1 });
      const ids = (query: Partial<JobQuery>): string[] => store.list({ ...all, ...query }).jobs.map(({ id }) => id);
      expect(ids({})).toEqual(['j6', 'j5', 'j4', 'j3', 'j2', 'j1', 'j0']);
      expect(ids({ states: ['running'] })).toEqual(['j0']);
      expect(ids({ lifecycle: 'pod' })).toEqual(['j6']);
      expect(ids({ labels: [['master', 'odd']] })).toEqual(['j5', 'j3', 'j1']);
      expect(ids({ labels: [['"quoted\'', 'x']], limit: 2 })).toEqual(['j6', 'j5']);
      expect(ids({ labels: [['toString', 'x']] })).toEqual([]);
      const first = store.list({ ...all, limit: 4 });
      expect(store.list({ ...all, limit: 4, before: first.next }).jobs.map(({ id }) => id)).toEqual(['j2', 'j1', 'j0']);
      expect(store.list({ ...all, limit: 3, before: first.next }).next).toBeUndefined();
    });

    it('I2: prunes by count, age and output, and never what has not ended', () => {
      for (let index = 0; index < 6; index += 1) {
        store.insert(sampleJob(`j${index}`));
        if (index < 5) store.update(`j${index}`, { state: 'running', startedAtMs: 0 });
      }
      for (let index = 0; index < 4; index += 1) store.update(`j${index}`, finishedAt(100 + index, 'x'.repeat(10)));
      const left = (): string[] => store.list(all).jobs.map(({ id }) => id);
      expect(store.prune(generous, 200)).toBe(0);
      expect(store.prune({ ...generous, maxAgeMs: 99 }, 200)).toBe(1);
      expect(left()).toEqual(['j5', 'j4', 'j3', 'j2', 'j1']);
      expect(store.prune({ ...generous, maxOutputBytes: 25 }, 200)).toBe(1);
      expect(left()).toEqual(['j5', 'j4', 'j3', 'j2']);
      expect(store.prune({ ...generous, maxJobs: 1 }, 200)).toBe(1);
      expect(left()).toEqual(['j5', 'j4', 'j3']);
      expect(store.counts()).toEqual({ queued: 1, running: 1, finished: 1, failed: 0 });
      expect(store.insert(sampleJob('j0'))).toMatchObject({ sequence: 7 });
    });

    it('agrees with a plain list of jobs, whatever happens', () => {
      const step = fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        action: fc.constantFrom('insert', 'start', 'finish', 'fail', 'prune'),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const subject = open();
          const model = new Map<string, Job['state']>();
          try {
            for (const { id, action } of steps) apply(subject, model, id, action);
            expect(new Map(subject.list(all).jobs.map((job) => [job.id, job.state]))).toEqual(model);
            const states = [...model.values()];
            for (const [state, count] of Object.entries(subject.counts()))
              expect(count).toBe(states.filter((one) => one === state).length);
          } finally {
            subject.close();
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}

/** Does the same to the store and to the model. */
function apply(store: JobStore, model: Map<string, Job['state']>, id: string, action: string): void {
  const state = model.get(id);
  if (action === 'insert') {
    expect(store.insert(sampleJob(id)) === undefined).toBe(state !== undefined);
    if (state === undefined) model.set(id, 'queued');
  } else if (action === 'start' && state === 'queued') {
    store.update(id, { state: 'running', startedAtMs: 1 });
    model.set(id, 'running');
  } else if (action === 'finish' && state === 'running') {
    store.update(id, finishedAt(2));
    model.set(id, 'finished');
  } else if (action === 'fail' && (state === 'running' || state === 'queued')) {
    store.update(id, { state: 'failed', finishedAtMs: 2, error: { code: 'CANCELLED', message: 'x' } });
    model.set(id, 'failed');
  } else if (action === 'prune') {
    store.prune({ ...generous, maxJobs: 0 }, 10);
    for (const [known, at] of model) if (at === 'finished' || at === 'failed') model.delete(known);
  }
}
