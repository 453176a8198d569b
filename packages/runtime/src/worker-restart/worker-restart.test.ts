import { StreamingMessage, WorkerRestartResponse_Status } from '@switchyard/protocol';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Worker } from '../worker-registry/worker.ts';
import { askForRestart } from './worker-restart.ts';

const application = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };

function open({ sidecarEpoch = 1 } = {}) {
  const clock = new VirtualClock();
  const frames: StreamingMessage[] = [];
  const channel = {
    send: (frame: Uint8Array) => frames.push(StreamingMessage.decode(frame)) > 0,
    drained: () => Promise.resolve(),
    terminate: () => {},
    abort: () => {},
  };
  const worker = new Worker('w1', application, { inFlightCapacity: 1, stderrLines: 1, onTransition: () => {} });
  worker.sidecarEpoch = sidecarEpoch;
  worker.connect(channel);
  const ask = (wish = {}) => askForRestart(clock, worker, { reason: 'test', ...wish }, 10_000);
  const answer = (status: 0 | 1 | 2, message = '') => worker.restart?.answer({ status, message });
  return { clock, frames, channel, worker, ask, answer };
}

const { ACCEPTED, REJECTED, IN_PROGRESS } = WorkerRestartResponse_Status;

describe('askForRestart', () => {
  it('says what is to be different', () => {
    const { frames, ask } = open();
    const environment = new Map([['A', '1']]);
    void ask({ executable: 'node20', arguments: ['--a'], workerPath: 'w.js', environment });
    expect(frames).toMatchObject([
      {
        content: {
          $case: 'workerRestartRequest',
          value: {
            reason: 'test',
            newConfiguration: {
              executablePath: 'node20',
              arguments: ['--a'],
              workerPath: 'w.js',
              environmentOverrides: environment,
            },
          },
        },
      },
    ]);
  });

  it('I1: a second wish is in progress until the first is refused', async () => {
    const { frames, ask, answer } = open();
    const first = ask();
    expect(await ask()).toEqual({ kind: 'in-progress' });
    answer(REJECTED, 'it is shutting down');
    expect(await first).toEqual({ kind: 'rejected', reason: 'it is shutting down' });
    void ask();
    expect(frames).toHaveLength(2);
  });

  it.each([
    [ACCEPTED, { kind: 'accepted' }],
    [IN_PROGRESS, { kind: 'in-progress' }],
    [REJECTED, { kind: 'rejected', reason: 'its wrapper gave no reason' }],
  ])('I2: the answer %d settles it, and a second answer changes nothing', async (status, outcome) => {
    const { clock, worker, ask } = open();
    const asked = ask();
    const wish = worker.restart;
    wish?.answer({ status, message: '' });
    wish?.answer({ status: REJECTED, message: 'late' });
    expect(await asked).toEqual(outcome);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: no answer, and a stream that ends, are refusals', async () => {
    const late = open();
    const asked = late.ask();
    await late.clock.advance(10_000);
    expect(await asked).toEqual({ kind: 'rejected', reason: 'its sidecar gave no answer within 10000 ms' });
    const gone = open();
    const outcome = gone.ask();
    gone.worker.disconnect();
    expect(await outcome).toMatchObject({ kind: 'rejected', reason: 'its stream ended before an answer came' });
    expect(gone.worker.restart).toBeUndefined();
  });

  it('I3: an accepted wish lasts until the worker is back', async () => {
    const { worker, channel, ask, answer } = open();
    const asked = ask();
    answer(ACCEPTED);
    expect(await asked).toEqual({ kind: 'accepted' });
    worker.disconnect();
    expect(worker.restart?.isAccepted).toBe(true);
    expect(await ask()).toEqual({ kind: 'in-progress' });
    worker.connect(channel);
    expect(worker.restart).toBeUndefined();
  });

  it('refuses for workers that nobody can start anew', async () => {
    const clock = new VirtualClock();
    const wish = { reason: 'test' };
    expect(await askForRestart(clock, undefined, wish, 1)).toMatchObject({
      reason: expect.stringContaining('no such'),
    });
    const direct = open({ sidecarEpoch: 0 });
    expect(await direct.ask()).toMatchObject({ reason: expect.stringContaining('no sidecar') });
    const lost = open();
    lost.worker.disconnect();
    expect(await lost.ask()).toMatchObject({ reason: expect.stringContaining('not connected') });
    expect(lost.frames).toEqual([]);
  });
});
