import { placeholderDefinition } from '@switchyard/protocol';
import { describe, expect, test } from 'vitest';
import { FakeChannel } from '../testing/fake-channel.ts';
import { createReadyWorker, sampleDefinition } from '../testing/sample-worker.ts';
import { Worker } from './worker.ts';

describe('Worker', () => {
  test('I1, I2: a stream opens an epoch of its own and is there until it ends', () => {
    const { worker, channel } = createReadyWorker();
    expect([worker.channel, worker.epoch]).toEqual([channel, 1]);
    worker.framesReceived = 7;
    worker.loadFailures.set('f', { message: '', stack: '', type: '' });
    worker.disconnect();
    expect(worker.channel).toBeUndefined();
    const next = new FakeChannel();
    expect(worker.connect(next)).toBe(2);
    expect([worker.channel, worker.framesReceived, worker.loadFailures.size]).toEqual([next, 0, 0]);
  });

  test('I3: a placeholder becomes the worker of one app, and stays it', () => {
    const options = { inFlightCapacity: 1, stderrLines: 5, onTransition: () => {} };
    const worker = new Worker('w1', placeholderDefinition('node'), options);
    expect([worker.isPlaceholder, worker.jobHostKey]).toEqual([true, '_Placeholder_node:1.0.0']);
    worker.specialize(sampleDefinition);
    worker.specialize({ ...sampleDefinition });
    expect([worker.isPlaceholder, worker.jobHostKey, worker.application]).toEqual([
      false,
      'sample:1',
      sampleDefinition,
    ]);
    expect(() => worker.specialize({ ...sampleDefinition, codeVersion: '2' })).toThrow('serves sample:1 already');
    expect(worker.application).toEqual(sampleDefinition);
  });

  test('keeps the last lines of stderr', () => {
    const { worker } = createReadyWorker();
    for (let line = 1; line <= 7; line += 1) worker.keepStderr(String(line));
    expect(worker.stderrTail).toEqual(['3', '4', '5', '6', '7']);
  });

  test('shows what it is', () => {
    const { worker } = createReadyWorker({ workerId: 'w9' });
    expect(worker.status()).toEqual({
      workerId: 'w9',
      state: 'ready',
      inFlight: 0,
      runtimeName: '',
      runtimeVersion: '',
    });
  });

  test('refuses a transition that the machine does not have', () => {
    const { worker } = createReadyWorker();
    expect(() => worker.transition({ kind: 'initializing' })).toThrow('no edge from ready to initializing');
  });
});
