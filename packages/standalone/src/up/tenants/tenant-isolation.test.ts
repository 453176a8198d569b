import type { ProcessLaunch, ProcessPort } from '@switchyard/sidecar';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { decideTenantIsolation } from './tenant-isolation.ts';

type Course = { readonly exitCode: number; readonly stderr?: string } | { readonly failed: string } | 'hangs';

function createProcesses(course: Course) {
  const launches: ProcessLaunch[] = [];
  const killed: string[] = [];
  const processes: ProcessPort = {
    spawn(launch, observer) {
      launches.push(launch);
      if (course !== 'hangs')
        queueMicrotask(() => {
          if ('failed' in course) return observer.failed(course.failed);
          observer.exited(course.exitCode, null);
          // What was written may be read after the end.
          observer.output('stderr', Buffer.from(course.stderr ?? ''));
          observer.outputEnded('stderr');
        });
      return { pid: 1, kill: (signal) => killed.push(signal) };
    },
  };
  return { processes, launches, killed };
}

const options = {
  trusted: false,
  user: { uid: 40_000, gid: 40_000 },
  paths: ['/programs/worker'],
  executable: '/programs/node',
  directory: '/empty',
};

describe('decideTenantIsolation', () => {
  it.each<[Course, unknown]>([
    [{ exitCode: 0 }, { kind: 'users' }],
    [
      { exitCode: 3, stderr: '/programs/worker\n' },
      { kind: 'shared', reason: expect.stringContaining("'/programs/worker'") },
    ],
    [{ exitCode: 9 }, { kind: 'shared', reason: expect.stringContaining('exit code 9') }],
    [{ failed: 'EPERM' }, { kind: 'shared', reason: expect.stringContaining('EPERM') }],
  ])('tries a user out: %j', async (course, expected) => {
    const { processes, launches } = createProcesses(course);
    const clock = new VirtualClock();
    expect(await decideTenantIsolation({ clock, processes, isRoot: true }, options)).toEqual(expected);
    expect(launches[0]).toMatchObject({ user: options.user, arguments: expect.arrayContaining(options.paths) });
  });

  it('waits only so long', async () => {
    const { processes, killed } = createProcesses('hangs');
    const clock = new VirtualClock();
    const deciding = decideTenantIsolation({ clock, processes, isRoot: true }, options);
    await clock.advance(10_000);
    expect(await deciding).toMatchObject({ kind: 'shared' });
    expect(killed).toEqual(['SIGKILL']);
  });

  it.each([
    [{ isRoot: false, trusted: false }, 'only root'],
    [{ isRoot: true, trusted: true }, 'trust'],
  ])('starts nothing with %j', async ({ isRoot, trusted }, reason) => {
    const { processes, launches } = createProcesses({ exitCode: 0 });
    const deps = { clock: new VirtualClock(), processes, isRoot };
    const isolation = await decideTenantIsolation(deps, { ...options, trusted });
    expect(isolation).toEqual({ kind: 'shared', reason: expect.stringContaining(reason) });
    expect(launches).toEqual([]);
  });
});
