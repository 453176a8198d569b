import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CapturedLaunch, decideLaunch, readWantedLaunch } from './launch-check.ts';

const captured: CapturedLaunch = {
  language: 'node',
  runtimeVersion: '24',
  executable: '/usr/bin/node',
  arguments: ['--flag', '--other'],
  workerPath: '/worker/worker.js',
  workerDirectory: '/worker',
};

const decide = (environment: Readonly<Record<string, string>>, launch = captured) =>
  decideLaunch(launch, readWantedLaunch(launch, new Map(Object.entries(environment)), '/apps/shop'));

describe('decideLaunch', () => {
  it.each([
    ['nothing', {}],
    ['empty settings', { languageWorkers__node__arguments: ' ', languageWorkers__node__defaultExecutablePath: '' }],
    ['the same program', { languageWorkers__node__defaultExecutablePath: '/usr/bin/node' }],
    ['the same path', { languageWorkers__node__defaultWorkerPath: 'worker.js' }],
    ['the same version', { FUNCTIONS_WORKER_RUNTIME_VERSION: '24' }],
    ['the same version, otherwise spelled', { FUNCTIONS_WORKER_RUNTIME_VERSION: '~24' }],
    ['a more exact version', { FUNCTIONS_WORKER_RUNTIME_VERSION: '24.3.1' }],
    ["another language's settings", { languageWorkers__python__arguments: '-X dev' }],
    ['settings of other things', { GREETING: 'hello', AzureWebJobsStorage: 'secret' }],
  ])('keeps the worker for an app that sets %s', (_name, environment) => {
    expect(decide(environment)).toEqual({ kind: 'keep' });
  });

  it('restarts for more arguments, behind those of the placeholder', () => {
    const environment = { languageWorkers__node__arguments: '--title "my shop" %EXTRA%', EXTRA: '--trace' };
    expect(decide(environment)).toEqual({
      kind: 'restart',
      changed: 'arguments',
      change: {
        executable: '/usr/bin/node',
        arguments: ['--flag', '--other', '--title', 'my shop', '--trace'],
        workerPath: '/worker/worker.js',
      },
    });
  });

  it('restarts for another program, found in the folder of the app or by its name', () => {
    const wanted = (path: string) => decide({ languageWorkers__node__defaultExecutablePath: path });
    expect(wanted('bin/node')).toMatchObject({ changed: 'executable', change: { executable: '/apps/shop/bin/node' } });
    expect(wanted('node')).toMatchObject({ change: { executable: 'node' } });
    expect(wanted('/opt/node')).toMatchObject({ change: { executable: '/opt/node' } });
  });

  it('restarts for another worker, found in the folder of the worker', () => {
    expect(decide({ 'languageWorkers:node:defaultWorkerPath': 'other.js' })).toMatchObject({
      changed: 'worker path',
      change: { workerPath: '/worker/other.js' },
    });
  });

  it('names every part that changed, and no value', () => {
    const decision = decide({
      languageWorkers__node__arguments: '--secret=hunter2',
      languageWorkers__node__defaultExecutablePath: '/opt/node',
    });
    expect(decision).toMatchObject({ changed: 'executable, arguments' });
  });

  it('takes arguments in another order for a change', () => {
    const wanted = readWantedLaunch(captured, new Map(), '/apps/shop');
    const other = { executable: '/usr/bin/node', arguments: ['--other', '--flag'], workerPath: '/worker/worker.js' };
    const decision = decideLaunch(captured, { ...wanted, runtimeVersion: '20' }, other);
    expect(decision).toMatchObject({ kind: 'restart', changed: 'runtime version, arguments' });
  });

  it('restarts with the launch of another version, where one is known', () => {
    const wanted = readWantedLaunch(captured, new Map([['FUNCTIONS_WORKER_RUNTIME_VERSION', '~20']]), '/apps/shop');
    const other = { executable: '/opt/node20', arguments: ['--flag', '--other'], workerPath: '/worker/worker.js' };
    expect(decideLaunch(captured, wanted, other)).toEqual({
      kind: 'restart',
      changed: 'runtime version, executable',
      change: other,
    });
  });

  it('does not guess the program of another version', () => {
    expect(decide({ FUNCTIONS_WORKER_RUNTIME_VERSION: '20' })).toEqual({ kind: 'other-version', wanted: '20' });
    const named = { FUNCTIONS_WORKER_RUNTIME_VERSION: '20', languageWorkers__node__defaultExecutablePath: '/opt/20' };
    expect(decide(named)).toMatchObject({ kind: 'restart', changed: 'runtime version, executable' });
  });

  it('takes every version where the own one is not known', () => {
    const unknown = { ...captured, runtimeVersion: '' };
    expect(decide({ FUNCTIONS_WORKER_RUNTIME_VERSION: '3.11' }, unknown)).toEqual({ kind: 'keep' });
  });

  it('wants nothing more once its change was made', () => {
    const word = fc.stringMatching(/^[a-z-]{1,8}$/);
    const environment = fc.record(
      {
        languageWorkers__node__arguments: fc.array(word, { maxLength: 3 }).map((words) => words.join(' ')),
        languageWorkers__node__defaultExecutablePath: word,
        languageWorkers__node__defaultWorkerPath: word,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(environment, (given) => {
        const decision = decide(given as Record<string, string>);
        if (decision.kind !== 'restart') return;
        const wanted = readWantedLaunch(captured, new Map(Object.entries(given)), '/apps/shop');
        const changed = { ...captured, ...decision.change };
        expect(decideLaunch(changed, { ...wanted, moreArguments: [] })).toEqual({ kind: 'keep' });
      }),
    );
  });
});
