import type { PlatformError } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { runtimeErrors } from '../errors.ts';
import { StartFailures } from './start-failures.ts';

function open() {
  const log = createMemoryLog(new VirtualClock());
  return { failures: new StartFailures(log), levels: () => log.records.map(({ level }) => level), log };
}

const failure = (workerId: string, stderr: string): PlatformError =>
  runtimeErrors.create('WORKER_EXITED', { workerId, applicationId: 'shop', how: 'exit code 1', stderr });

describe('StartFailures', () => {
  test('I1: tells the same failure once, whichever worker had it', () => {
    const { failures, levels, log } = open();
    failures.report(failure('0f2c7a51-77f1-4be0-8d1c-0c6f0a6f1d11', 'boom in process 17'));
    failures.report(failure('9b1d2e3f-0000-4be0-8d1c-0c6f0a6f1d12', 'boom in process 18'));
    failures.report(failure('5', 'boom in process 19'));
    expect(levels()).toEqual(['error', 'warning', 'warning']);
    expect(log.records[0]?.message).toContain('boom in process 17');
    expect(log.records[2]?.message).not.toContain('boom');
    expect(log.records[2]?.fields).toMatchObject({ code: 'WORKER_EXITED', tries: 3 });
  });

  test('I2: tells another failure in full, and the first one again after it', () => {
    const { failures, levels } = open();
    for (const stderr of ['boom', 'bang', 'boom']) failures.report(failure('w', stderr));
    expect(levels()).toEqual(['error', 'error', 'error']);
  });

  test('I2: tells everything again after a good start', () => {
    const { failures, levels } = open();
    failures.report(failure('w', 'boom'));
    failures.forget();
    failures.report(failure('w', 'boom'));
    expect(levels()).toEqual(['error', 'error']);
  });
});
