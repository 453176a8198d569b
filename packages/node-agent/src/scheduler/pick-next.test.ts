import { describe, expect, it } from 'vitest';
import { type PickState, pickNext, type WaitingJob } from './pick-next.ts';

const job = (id: string, master = '', lane: WaitingJob['lane'] = 'job'): WaitingJob => ({ id, lane, master });
const state = (waiting: readonly WaitingJob[], rest: Partial<PickState> = {}): PickState => ({
  waiting,
  freePlaces: { job: 1, pod: 1 },
  running: new Map(),
  served: new Map(),
  ...rest,
});

describe('pickNext', () => {
  it('takes the oldest whose lane has a place', () => {
    const waiting = [job('pod', '', 'pod'), job('a'), job('b')];
    expect(pickNext(state(waiting), 'fifo')?.id).toBe('pod');
    expect(pickNext(state(waiting, { freePlaces: { job: 1, pod: 0 } }), 'fifo')?.id).toBe('a');
    expect(pickNext(state(waiting, { freePlaces: { job: 0, pod: 0 } }), 'fifo')).toBeUndefined();
    expect(pickNext(state([]), 'master')).toBeUndefined();
  });

  it('prefers the master with the fewest running jobs, then the one served longest ago, then the oldest job', () => {
    const waiting = [job('a1', 'a'), job('a2', 'a'), job('b1', 'b'), job('c1', 'c')];
    expect(pickNext(state(waiting), 'master')?.id).toBe('a1');
    const running = new Map([['a', 1]]);
    expect(pickNext(state(waiting, { running }), 'master')?.id).toBe('b1');
    const served = new Map([
      ['b', 5],
      ['c', 3],
    ]);
    expect(pickNext(state(waiting, { running, served }), 'master')?.id).toBe('c1');
    expect(pickNext(state(waiting, { running, served }), 'fifo')?.id).toBe('a1');
  });
});
