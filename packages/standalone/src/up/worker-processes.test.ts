import type { ProcessHandle, ProcessLaunch, ProcessObserver } from '@switchyard/sidecar';
import { describe, expect, it } from 'vitest';
import { WorkerProcesses } from './worker-processes.ts';

function open() {
  const observers: ProcessObserver[] = [];
  const knocked: number[] = [];
  const told: unknown[] = [];
  const handle: ProcessHandle = { pid: 42, kill: () => {} };
  const processes = new WorkerProcesses(
    {
      spawn(_launch, observer) {
        observers.push(observer);
        return handle;
      },
    },
    (pid) => {
      knocked.push(pid);
      return true;
    },
  );
  const start = (...words: string[]): ProcessHandle =>
    processes.spawn({ executable: 'node', arguments: words, directory: '/', environment: {} } satisfies ProcessLaunch, {
      output: (...event) => told.push(['output', ...event]),
      outputEnded: (...event) => told.push(['outputEnded', ...event]),
      exited: (...event) => told.push(['exited', ...event]),
      failed: (...event) => told.push(['failed', ...event]),
    });
  const print = (text: string): void => observers[0]?.output('stderr', Buffer.from(text));
  return { processes, observers, knocked, told, handle, start, print };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('WorkerProcesses', () => {
  it('I1: hands every event on', () => {
    const { observers, told, start, handle, print } = open();
    expect(start('worker.js', '--functions-worker-id', 'w1')).toBe(handle);
    print('one\n');
    observers[0]?.outputEnded('stderr');
    observers[0]?.exited(0, null);
    expect(told).toEqual([
      ['output', 'stderr', Buffer.from('one\n')],
      ['outputEnded', 'stderr'],
      ['exited', 0, null],
    ]);
  });

  it.each([[['--workerId', 'w1']], [['--functions-worker-id', 'w1']], [['--functions-worker-id=w1']]])(
    'I2: knows the worker of %j until it is gone',
    (words) => {
      const { processes, observers, start } = open();
      start(...words);
      expect(processes.pidOf('w1')).toBe(42);
      observers[0]?.exited(1, null);
      expect([processes.pidOf('w1'), processes.openInspector('w1')]).toEqual([undefined, undefined]);
    },
  );

  it('I2: forgets a worker that could not be started', () => {
    const { processes, observers, start } = open();
    start('--workerId', 'w1');
    observers[0]?.failed('no such file');
    expect(processes.pidOf('w1')).toBeUndefined();
  });

  it('I3: answers where the inspector listens, also when the line comes in pieces, and asks for it once', async () => {
    const { processes, knocked, start, print } = open();
    start('--workerId', 'w1');
    print('Debugger listening on ws://127.0.0.1:1/printed-by-the-app\n');
    const urls: (string | undefined)[] = [];
    void processes.openInspector('w1')?.then((url) => urls.push(url));
    void processes.openInspector('w1')?.then((url) => urls.push(url));
    print('noise\nDebugger list');
    await settle();
    expect(urls).toEqual([]);
    print('ening on ws://127.0.0.1:5555/an-id\nFor help, see ...\n');
    await settle();
    expect(urls).toEqual(['ws://127.0.0.1:5555/an-id', 'ws://127.0.0.1:5555/an-id']);
    expect(knocked).toEqual([42]);
  });
});
