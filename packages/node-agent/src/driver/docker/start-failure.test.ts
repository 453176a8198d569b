import { describe, expect, it } from 'vitest';
import { agentErrors } from '../../errors.ts';
import { startFailure } from './start-failure.ts';

const refused = (reason: string): Error =>
  agentErrors.create('ENGINE_REFUSED', { method: 'POST', path: '/start', status: 400, reason });

describe('startFailure', () => {
  it("blames the program for what is the program's", () => {
    const wrapped =
      'failed to create shim task: OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown';
    expect(startFailure(refused(wrapped))).toEqual({
      code: 'RUNTIME_ERROR',
      message: 'The program could not be started: exec: "nope": executable file not found in $PATH.',
    });
    expect(startFailure(refused('exec: "/x": permission denied'))?.code).toBe('RUNTIME_ERROR');
  });

  it('blames the engine for the rest', () => {
    expect(startFailure(refused('no space left on device'))).toEqual({
      code: 'DOCKER_ERROR',
      message: 'The container could not be started: no space left on device.',
    });
  });

  it('says nothing about an engine that is away, nor about other errors', () => {
    expect(startFailure(agentErrors.create('ENGINE_UNREACHABLE', { socket: 's', reason: 'away' }))).toBeUndefined();
    expect(startFailure(new Error('no such file or directory'))).toBeUndefined();
  });
});
