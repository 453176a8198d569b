import { join } from 'node:path';
import { createDeferred } from '@switchyard/kernel';
import type { JobHostStatus, RuntimeApplication } from '@switchyard/runtime';
import type { ProcessHandle, ProcessLaunch, ProcessObserver, ProcessPort } from '@switchyard/sidecar';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadApplication } from '../application/load-application.ts';
import { type Files, openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { FakeFolders } from '../testing/fake-folders.ts';
import { createStatus, sampleWorker } from '../testing/versions.ts';
import { AppLoop, type AppLoopDeps, type AppLoopOptions } from './app-loop.ts';
import { AppVersions } from './app-versions.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const javascript: Files = { 'package.json': { main: 'src/*.js' }, 'src/a.js': '' };
const typescript: Files = {
  'package.json': { main: 'dist/src/*.js' },
  'tsconfig.json': { compilerOptions: { outDir: 'dist' } },
  'src/a.ts': '',
  'node_modules/typescript/package.json': { name: 'typescript' },
};

/** A Runtime whose versions become ready when a test says so. */
class PlayedRuntime {
  readonly added: { become(status: JobHostStatus): void }[] = [];

  addApplication(_application: RuntimeApplication): Promise<JobHostStatus> {
    const ready = createDeferred<JobHostStatus>();
    this.added.push({ become: ready.resolve });
    return ready.promise;
  }

  async promoteApplication(): Promise<void> {}

  async removeApplication(): Promise<void> {}

  status(): readonly JobHostStatus[] {
    return [];
  }
}

/** Processes that do nothing by themselves, and end when they are asked to. */
class PlayedProcesses implements ProcessPort {
  readonly launches: {
    readonly launch: ProcessLaunch;
    readonly observer: ProcessObserver;
    readonly kills: string[];
  }[] = [];

  spawn(launch: ProcessLaunch, observer: ProcessObserver): ProcessHandle {
    const kills: string[] = [];
    this.launches.push({ launch, observer, kills });
    const kill = (signal: string): void => {
      kills.push(signal);
      observer.exited(0, null);
    };
    return { pid: 1, kill };
  }
}

interface Given {
  readonly hostJson?: object;
  readonly options?: Partial<AppLoopOptions>;
}

/** The loop of an app on a real folder, whose changes, versions and processes a test plays. */
async function open(files: Files, { hostJson = {}, options = {} }: Given = {}) {
  const directory = await folder.write('app', {
    'host.json': { version: '2.0', ...hostJson },
    'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
    ...files,
  });
  const [clock, runtime, processes] = [new VirtualClock(), new PlayedRuntime(), new PlayedProcesses()];
  const folders = new FakeFolders(directory, Object.keys(files));
  const notes: string[] = [];
  const told: string[] = [];
  const workers = { resolve: async () => sampleWorker, forget: () => {} };
  const deps: AppLoopDeps = {
    clock,
    folders,
    processes,
    versions: new AppVersions({ runtime, workers, keyFile: undefined, log: createMemoryLog() }),
    load: () => loadApplication(directory, {}),
    output: {
      reloaded: ({ paths }) => told.push(`reloaded ${paths.join()}`),
      failed: (_id, { text }) => told.push(`failed ${text}`),
      failedAgain: () => {},
      compiled: (_id, errors) => told.push(`compiled ${errors.join()}`),
    },
    note: (text) => notes.push(text),
    onServing: async (_application, { key }) => void told.push(`serving ${key}`),
  };
  const where = { baseUrl: 'http://localhost', dataFolder: join(directory, '.switchyard'), executable: 'node' };
  const all = { ...where, watches: true, builds: false, environment: {}, ...options };
  const loop = new AppLoop(deps, all, await loadApplication(directory, {}));
  const { added } = runtime;
  /** Version `number` is on its way, and becomes ready. */
  const serve = async (number: number): Promise<void> => {
    await waitFor(() => added.length >= number);
    added[number - 1]?.become(createStatus(['hello'], { key: `app:dev-${number}` }));
    await waitFor(() => told.includes(`serving app:dev-${number}`));
    if (number > 1) await waitFor(() => told.at(-1)?.startsWith('reloaded') === true);
  };
  const change = async (path: string): Promise<void> => {
    folders.write(join(directory, path));
    await clock.advance(80);
  };
  /** Begins, and lets the first version serve. */
  const begin = async (): Promise<void> => {
    const { settled } = await loop.begin();
    await serve(1);
    await settled;
  };
  return { clock, directory, folders, added, launches: processes.launches, notes, told, loop, serve, change, begin };
}

const pass = (errors = ''): Uint8Array => Buffer.from(`${errors}Found 0 errors. Watching for file changes.\n`);

describe('AppLoop', () => {
  it('I1: serves the first version, and a new one after a change', async () => {
    const { told, serve, change, begin } = await open(javascript);
    await begin();
    await change('src/a.js');
    await serve(2);
    expect(told).toEqual(['serving app:dev-1', 'serving app:dev-2', 'reloaded src/a.js']);
  });

  it('I1: notices what changes while the first version is on its way', async () => {
    const { loop, folders, told, serve, change } = await open(javascript);
    await loop.begin();
    await waitFor(() => folders.watched.length === 2);
    await change('src/a.js');
    await serve(2);
    expect(told).toEqual(['serving app:dev-2', 'reloaded src/a.js']);
  });

  it.each<[string, Parameters<typeof open>[1]]>([
    ['the user does not want it', { options: { watches: false } }],
    ['host.json does not want it', { hostJson: { fileWatchingEnabled: false } }],
  ])('I1: notices nothing when %s', async (_why, given) => {
    const { folders, added, change, begin } = await open(javascript, given);
    await begin();
    await change('src/a.js');
    expect([added.length, folders.watched]).toEqual([1, []]);
  });

  it('I2: watches what the newest version is made of', async () => {
    const { directory, folders, added, serve, change, begin } = await open({ ...javascript, 'dist/a.js': '' });
    await begin();
    expect(folders.watched).toEqual([directory, join(directory, 'src')]);
    await folder.write('app', { 'package.json': { main: 'dist/*.js' } });
    await change('package.json');
    await serve(2);
    await waitFor(() => folders.watched.length === 3);
    expect(folders.watched).toEqual([directory, join(directory, 'dist'), join(directory, 'src')]);
    await change('dist/a.js');
    await waitFor(() => added.length === 3);
    expect(added).toHaveLength(3);
  });

  it('I2: watches the files that host.json and a custom handler name', async () => {
    const customHandler = { description: { defaultExecutablePath: 'bin/serve', arguments: ['handler.py', '--fast'] } };
    const { added, serve, change, begin } = await open(
      { 'hello/function.json': {} },
      { hostJson: { watchFiles: ['rules.txt'], customHandler } },
    );
    await begin();
    for (const [index, path] of ['rules.txt', 'handler.py', 'other.py', 'bin/serve'].entries()) {
      await change(path);
      await serve(index + 2);
    }
    await change('fast.txt');
    expect(added).toHaveLength(5);
  });

  it('compiles an app that nobody has compiled before it starts', async () => {
    const { loop, added, launches, notes, told } = await open(typescript);
    const begun = loop.begin();
    await waitFor(() => launches.length === 1);
    expect([added.length, notes]).toEqual([0, ["dist is missing: 'tsc --watch' builds it."]]);
    launches[0]?.observer.output('stdout', pass('src/a.ts(1,1): error TS1: oh\n'));
    await begun;
    expect(added).toHaveLength(1);
    expect(told).toEqual(['compiled src/a.ts:1:1 - error TS1: oh']);
    await loop.close();
    expect(launches[0]?.kills).toEqual(['SIGTERM']);
  });

  it('compiles an app whose sources are newer than the output', async () => {
    const { loop, launches, notes } = await open({ 'dist/src/a.js': '', ...typescript });
    const begun = loop.begin();
    await waitFor(() => launches.length === 1);
    launches[0]?.observer.output('stdout', pass());
    await begun;
    expect(notes[0]).toBe("dist is older than the sources: 'tsc --watch' builds it.");
  });

  it('leaves a compiled app alone until a source changes and nobody compiles it', async () => {
    const { clock, added, launches, change, begin } = await open({ ...typescript, 'dist/src/a.js': '' });
    await begin();
    await change('src/a.ts');
    expect(launches).toHaveLength(0);
    await clock.advance(700);
    expect([launches.length, added.length]).toEqual([1, 1]);
    await change('dist/src/a.js');
    await waitFor(() => added.length === 2);
    expect(launches).toHaveLength(1);
  });

  it('compiles from the start when asked, without waiting for that', async () => {
    const { launches, begin } = await open({ ...typescript, 'dist/src/a.js': '' }, { options: { builds: true } });
    await begin();
    expect(launches).toHaveLength(1);
  });

  it('does not compile over what a bundler has made, and says what builds the app', async () => {
    const bundled = { ...typescript, 'package.json': { main: 'dist/index.js', scripts: { build: 'node build.mjs' } } };
    const { clock, launches, notes, change, begin } = await open(
      { 'dist/index.js': '', ...bundled },
      { options: { builds: true } },
    );
    await begin();
    await change('src/a.ts');
    await clock.advance(5_000);
    expect(launches).toEqual([]);
    expect(notes.filter((note) => note.includes('dist'))).toEqual([
      "dist is older than the sources: 'npm run build' builds it.",
      "src/a.ts changed, and dist did not follow: 'npm run build' builds this app.",
    ]);
  });

  it('I3: after it was closed nothing is watched, compiled or tried', async () => {
    const { clock, folders, added, launches, loop, change, begin } = await open({ ...typescript, 'dist/src/a.js': '' });
    await begin();
    await change('src/a.ts');
    folders.write(join(folder.path, 'app', 'dist/src/a.js'));
    await loop.close();
    await clock.advance(100_000);
    expect([added.length, launches.length, folders.watched, clock.pendingTimers]).toEqual([1, 0, [], 0]);
  });
});

/** Resolves in the turn of the event loop in which it holds. */
async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
