import { describe, expect, it } from 'vitest';
import type { TaskExit } from '../driver/contract.ts';
import { sampleLimits } from '../testing/sample-job.ts';
import { decideEnd, decideRestart } from './decide-end.ts';

const exited = (exitCode: number, rest: Partial<Extract<TaskExit, { kind: 'exited' }>> = {}): TaskExit => ({
  kind: 'exited',
  exitCode,
  outOfMemory: false,
  engineFailed: false,
  ...rest,
});

describe('decideEnd', () => {
  it.each([
    ['exit code 0', exited(0), undefined, 0, undefined],
    ['another exit code', exited(3), undefined, 3, 'RUNTIME_ERROR'],
    ['a kill for memory', exited(137, { outOfMemory: true }), undefined, 137, 'OUT_OF_MEMORY'],
    ['a good end although a child was killed for memory', exited(0, { outOfMemory: true }), undefined, 0, undefined],
    ['an engine that went away', exited(137, { engineFailed: true }), undefined, 137, 'DOCKER_ERROR'],
    ['a good end while the engine was away', exited(0, { engineFailed: true }), undefined, 0, undefined],
    ['a lost container', { kind: 'lost', reason: 'gone' } as const, undefined, null, 'DOCKER_ERROR'],
    ['a time limit', exited(137), 'timeout', 137, 'TIMEOUT'],
    ['a cancellation', exited(0), 'cancelled', 0, 'CANCELLED'],
    ['a cancellation of a lost one', { kind: 'lost', reason: 'gone' } as const, 'cancelled', null, 'CANCELLED'],
    ['a pod that is not healthy', exited(143), 'unhealthy', 143, 'RUNTIME_ERROR'],
  ] as const)('of %s', (_, exit, stop, exitCode, code) => {
    const end = decideEnd(exit, stop, sampleLimits);
    expect([end.exitCode, end.error?.code]).toEqual([exitCode, code]);
  });

  it('names the limit that was passed', () => {
    expect(decideEnd(exited(137), 'timeout', sampleLimits).error?.message).toContain('30 s (max_runtime_seconds)');
    const memory = decideEnd(exited(137, { outOfMemory: true }), undefined, sampleLimits);
    expect(memory.error?.message).toContain('64 MB (memory_mb)');
  });
});

describe('decideRestart', () => {
  const good = { exitCode: 0, error: null };
  const bad = { exitCode: 1, error: { code: 'RUNTIME_ERROR', message: 'x' } } as const;
  const cancelled = { exitCode: 143, error: { code: 'CANCELLED', message: 'x' } } as const;
  const missing = { exitCode: null, error: { code: 'IMAGE_UNAVAILABLE', message: 'x' } } as const;

  it('goes by the policy', () => {
    const table = (['never', 'on_failure', 'always'] as const).map((policy) =>
      [good, bad, cancelled, missing].map((end) => decideRestart(end, { policy }, 0)),
    );
    expect(table).toEqual([
      [false, false, false, false],
      [false, true, false, false],
      [true, true, false, false],
    ]);
  });

  it('stops at the maximum', () => {
    const policy = { policy: 'always', max_restarts: 2 } as const;
    expect([0, 1, 2, 3].map((restarts) => decideRestart(bad, policy, restarts))).toEqual([true, true, false, false]);
  });
});
