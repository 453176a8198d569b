import type { ProcessObserver } from '@switchyard/sidecar';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { AppCompiler } from './app-compiler.ts';

function open() {
  const clock = new VirtualClock();
  const started: { readonly arguments: readonly string[]; readonly observer: ProcessObserver; kills: string[] }[] = [];
  const errors: (readonly string[])[] = [];
  const notes: string[] = [];
  const compiler = new AppCompiler(
    {
      clock,
      processes: {
        spawn(launch, observer) {
          const child = { arguments: launch.arguments, observer, kills: [] as string[] };
          started.push(child);
          return { pid: 1, kill: (signal) => child.kills.push(signal) };
        },
      },
    },
    {
      directory: '/app',
      outDir: 'dist',
      executable: 'node',
      script: '/app/node_modules/typescript/bin/tsc',
      environment: {},
      onErrors: (found) => errors.push(found),
      onNote: (text) => notes.push(text),
    },
  );
  const say = (text: string): void => started.at(-1)?.observer.output('stdout', Buffer.from(text));
  const exit = (code = 0): void => started.at(-1)?.observer.exited(code, null);
  return { clock, compiler, started, errors, notes, say, exit };
}

const oneError = 'src/a.ts(1,1): error TS1: oh\nFound 1 error. Watching for file changes.\n';
const clean = 'Found 0 errors. Watching for file changes.\n';

describe('AppCompiler', () => {
  it('I1: runs one compiler at most, however often it is asked for', async () => {
    const { clock, compiler, started } = open();
    compiler.start();
    compiler.start();
    compiler.sourceChanged('src/a.ts');
    await clock.advance(10_000);
    expect(started).toHaveLength(1);
    expect(started[0]?.arguments).toEqual(
      expect.arrayContaining(['/app/node_modules/typescript/bin/tsc', '--watch', '--pretty', 'false', '-p', '/app']),
    );
  });

  it('I1: leaves none behind: SIGKILL follows SIGTERM', async () => {
    const { clock, compiler, started, exit } = open();
    compiler.start();
    let isStopped = false;
    const stopped = compiler.stop(1_000).then(() => {
      isStopped = true;
    });
    await clock.advance(999);
    expect([started[0]?.kills, isStopped]).toEqual([['SIGTERM'], false]);
    await clock.advance(1);
    expect(started[0]?.kills).toEqual(['SIGTERM', 'SIGKILL']);
    exit();
    await stopped;
    await compiler.stop(1_000);
    compiler.start();
    compiler.sourceChanged('src/a.ts');
    await clock.advance(100_000);
    expect([started.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('I2: starts when a source has changed and its output has not followed', async () => {
    const { clock, compiler, started, notes } = open();
    compiler.sourceChanged('src/a.ts');
    compiler.sourceChanged('src/b.ts');
    await clock.advance(699);
    expect(started).toHaveLength(0);
    await clock.advance(1);
    expect(started).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining('src/a.ts changed and nobody compiles it')]);
  });

  it.each([
    ['after the source', true],
    ['before it', false],
  ])('I2: never starts once somebody else has written output, %s', async (_when, first) => {
    const { clock, compiler, started } = open();
    if (first) compiler.sourceChanged('src/a.ts');
    compiler.fileChanged('dist/src/a.js');
    compiler.sourceChanged('src/a.ts');
    await clock.advance(10_000);
    expect(started).toHaveLength(0);
  });

  it('I2: other files say nothing of a compiler, and our own output says nothing of another one', async () => {
    const { clock, compiler, started } = open();
    compiler.sourceChanged('src/a.ts');
    compiler.fileChanged('host.json');
    await clock.advance(700);
    compiler.fileChanged('dist/src/a.js');
    expect([started.length, started[0]?.kills]).toEqual([1, []]);
  });

  it('I3: tells the errors of a pass once, also when they come in pieces', () => {
    const { compiler, errors, say } = open();
    compiler.start();
    for (const piece of [oneError.slice(0, 20), oneError.slice(20), oneError]) say(piece);
    expect(errors).toEqual([['src/a.ts:1:1 - error TS1: oh']]);
    say(clean);
    say(oneError);
    expect(errors).toHaveLength(2);
  });

  it.each<[string, (run: ReturnType<typeof open>) => unknown]>([
    ['when the first pass is done', ({ say }) => say(clean)],
    ['when the first pass has errors', ({ say }) => say(oneError)],
    ['when the compiler ends', ({ exit }) => exit(1)],
    ['when it cannot be started', ({ started }) => started[0]?.observer.failed('there is no such program')],
    ['after a minute', ({ clock }) => clock.advance(60_000)],
    ['when it is stopped', ({ compiler }) => void compiler.stop(0)],
  ])('I4: does not keep anybody waiting: %s', async (_when, act) => {
    const run = open();
    run.compiler.start();
    let isDone = false;
    const done = run.compiler.firstPass.then(() => {
      isDone = true;
    });
    await run.clock.settle();
    expect(isDone).toBe(false);
    await act(run);
    await done;
    expect(isDone).toBe(true);
  });

  it('starts again with the next change after it ended by itself', async () => {
    const { clock, compiler, started, notes, exit } = open();
    compiler.start();
    exit(2);
    expect(notes).toEqual([expect.stringContaining('exit code 2')]);
    compiler.sourceChanged('src/a.ts');
    await clock.advance(700);
    expect(started).toHaveLength(2);
  });
});
