import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlatformError } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { createPlaceholderLaunches, type PlaceholderLaunches } from './placeholder-launches.ts';
import { readWorkerDeps } from './worker-resolution.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const description = (more: object) => ({
  'worker.config.json': { description: { extensions: ['.x'], defaultWorkerPath: 'worker.x', ...more } },
  'worker.x': '',
});

async function open(installation: Readonly<Record<string, string>> = {}): Promise<PlaceholderLaunches> {
  const environment = { PATH: '/machine' };
  return createPlaceholderLaunches(await readWorkerDeps(), { emptyFolder: folder.path, environment, installation });
}

const any = (runtime: string): Stack => ({ runtime, version: '', architecture: '' });

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isPlatformError(error)) return `${error.code} ${error.message}`;
  }
  return 'none';
}

describe('createPlaceholderLaunches', () => {
  it('has our own workers, with the version that is here', async () => {
    const launches = await open({ SECRET: 'of the installation' });
    const stack = { runtime: 'node', version: process.versions.node.split('.')[0] ?? '', architecture: process.arch };
    expect(launches.complete({ runtime: ' Node ', version: '', architecture: '' })).toEqual(stack);
    const { launch, workerDirectory } = launches.launchOf(stack);
    expect(launch.executable).toBe(process.execPath);
    expect(launch.arguments).toEqual(['--inspect-port=127.0.0.1:0']);
    expect(launch.environment).toMatchObject({ PATH: '/machine', FUNCTIONS_WORKER_DIRECTORY: workerDirectory });
    expect(launch.environment).not.toHaveProperty('SECRET');
    expect(launches.programs).toContain(workerDirectory);
    expect(launches.workerOf(any('custom')).worker.traits.canUsePlaceholder).toBe(true);
  });

  it('has a worker for each release of Node.js that is here, our own first', async () => {
    const deps = await readWorkerDeps([{ path: process.execPath, version: '20.1.2' }]);
    const options = { emptyFolder: folder.path, environment: {}, installation: {} };
    const launches = await createPlaceholderLaunches(deps, options);
    const versionOf = (version: string): string => launches.workerOf({ ...any('node'), version }).stack.version;
    const own = process.versions.node.split('.')[0] ?? '';
    expect([versionOf(''), versionOf('20'), versionOf(own)]).toEqual([own, '20', own]);
    expect(problemOf(() => versionOf('18'))).toContain('`switchyard node add`');
  });

  it.each([
    [{ runtime: 'cobol', version: '', architecture: '' }, 'no worker of that language is installed'],
    [{ runtime: 'node', version: '1.2.3', architecture: '' }, "version '1.2.3'"],
    [{ runtime: 'node', version: '', architecture: 'vax' }, 'for vax is wanted'],
  ])('says what is missing for %j', async (stack, reason) => {
    const launches = await open();
    expect(problemOf(() => launches.complete(stack))).toMatch(/^STACK_UNAVAILABLE/);
    expect(problemOf(() => launches.complete(stack))).toContain(reason);
  });

  it('takes further workers from the settings of the installation, whose variables they may name', async () => {
    const one = await folder.write('lisp', description({ language: 'lisp', defaultExecutablePath: '%LISP%' }));
    await folder.write(
      'many/fortran',
      description({ language: 'fortran', defaultExecutablePath: '%LISP%', workerIndexing: 'true' }),
    );
    await folder.write('many/python', description({ language: 'python', defaultExecutablePath: '%LISP%' }));
    const launches = await open({
      languageWorkers__lisp__workerDirectory: one,
      'languageWorkers:workersDirectory': join(folder.path, 'many'),
      LISP: process.execPath,
    });
    const { launch } = launches.workerOf(any('python')).worker;
    expect(launch.executable).toBe(process.execPath);
    expect(launch.environment).not.toHaveProperty('LISP');
    // Nobody knows whether a worker of this language can wait for its app, so it is started for one.
    expect(launches.workerOf(any('lisp')).worker.traits.canUsePlaceholder).toBe(false);
    const app = { scriptRoot: one, environment: { SETTING: 'of the app' } };
    const forApp = await launches.launchFor(any('lisp'), app);
    expect(forApp).toMatchObject({ executable: process.execPath, directory: one, environment: app.environment });
    expect(forApp.environment).not.toHaveProperty('LISP');
    expect(problemOf(() => launches.workerOf(any('fortran')))).toContain('nobody else can list the functions');
  });

  it('keeps one that is wrong from none of the others, and says what is wrong when it is wanted', async () => {
    const one = await folder.write('python', description({ language: 'python' }));
    await writeFile(join(one, 'worker.config.json'), '{ nothing');
    const launches = await open({ languageWorkers__python__workerDirectory: one });
    expect(launches.workerOf(any('node')).stack.runtime).toBe('node');
    expect(problemOf(() => launches.workerOf(any('python')))).toContain('worker.config.json');
  });
});
