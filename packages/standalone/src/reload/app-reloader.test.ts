import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { JobHostStatus } from '@switchyard/runtime';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadedApplication } from '../application/load-application.ts';
import { createLoaded, createStatus, createVersion } from '../testing/versions.ts';
import { AppReloader } from './app-reloader.ts';
import type { Version } from './app-versions.ts';
import type { FailureReport } from './failure-report.ts';
import type { Changes } from './quiet-period.ts';

/** Versions whose fate a test decides. */
class PlayedVersions {
  readonly made: { readonly version: Version; readonly ready: Deferred<JobHostStatus> }[] = [];
  readonly onTrial = new Set<string>();
  readonly told: string[] = [];
  current: Version | undefined;
  hosted = true;
  mostOnTrial = 0;
  /** Of the workers of versions that are made from now on. */
  arguments: readonly string[] = [];

  async begin(application: LoadedApplication): Promise<Version> {
    this.current = this.#make(application);
    return this.current;
  }

  async tryOut(application: LoadedApplication): Promise<Version> {
    const version = this.#make(application);
    this.onTrial.add(version.key);
    this.mostOnTrial = Math.max(this.mostOnTrial, this.onTrial.size);
    return version;
  }

  async accept(version: Version): Promise<void> {
    this.onTrial.delete(version.key);
    this.current = version;
    this.told.push(`accept ${version.key}`);
  }

  dismiss(version: Version, report: string | undefined): void {
    this.onTrial.delete(version.key);
    this.told.push(`dismiss ${version.key}${report === undefined ? '' : ' with a report'}`);
  }

  isHosted(): boolean {
    return this.hosted;
  }

  #make(application: LoadedApplication): Version {
    const ready = createDeferred<JobHostStatus>();
    ready.promise.catch(() => {});
    const made = createVersion(application, this.made.length + 1);
    const worker = { ...made.worker, launch: { ...made.worker.launch, arguments: this.arguments } };
    const version = { ...made, worker, ready: ready.promise };
    this.made.push({ version, ready });
    return version;
  }
}

function open() {
  const clock = new VirtualClock();
  const versions = new PlayedVersions();
  const told: string[] = [];
  const notes: string[] = [];
  const durations: number[] = [];
  const state: { loadError?: Error; notes?: readonly string[]; syntax?: FailureReport; syntaxDone?: Promise<void> } =
    {};
  const reloader = new AppReloader(
    {
      clock,
      versions,
      load: async () => {
        if (state.loadError) throw state.loadError;
        return createLoaded({ notes: state.notes ?? [] });
      },
      output: {
        reloaded: ({ status, durationMs, paths, added, removed }) => {
          const names = [...added.map(({ name }) => `+${name}`), ...removed.map((name) => `-${name}`)];
          told.push(`reloaded ${status.key} ${[...paths, ...names].join(' ')}`.trim());
          durations.push(durationMs);
        },
        failed: (_id, { place, text }, isServing) =>
          told.push(`${isServing ? 'not reloaded' : 'not started'}: ${place === undefined ? '' : `${place} `}${text}`),
        failedAgain: () => told.push('the same'),
        compiled: () => {},
      },
      note: (text) => notes.push(text),
      checkSyntax: async () => {
        await state.syntaxDone;
        return state.syntax;
      },
      onServing: async (_application, { key }) => void told.push(`serving ${key}`),
      baseUrl: 'http://localhost',
    },
    { applicationId: 'shop', directory: '/app' },
  );
  const change = (...paths: string[]): void => reloader.changed(changes(clock, paths));
  const settle = (): Promise<void> => clock.settle();
  const readyAs = async (number: number, ...names: string[]): Promise<void> => {
    versions.made[number - 1]?.ready.resolve(createStatus(names, { key: `shop:dev-${number}` }));
    await settle();
  };
  const failAs = async (number: number, reason: string): Promise<void> => {
    versions.made[number - 1]?.ready.reject(new Error(reason));
    await settle();
  };
  return { clock, versions, told, notes, durations, state, reloader, change, settle, readyAs, failAs };
}

const changes = (clock: VirtualClock, paths: readonly string[]): Changes => ({
  paths,
  more: 0,
  sinceMs: clock.monotonic(),
});

/** An app whose first version serves the function `hello`. */
async function openServing() {
  const run = open();
  await run.reloader.begin(createLoaded());
  await run.readyAs(1, 'hello');
  run.told.length = 0;
  return run;
}

describe('AppReloader', () => {
  it('serves the first version as soon as it is ready', async () => {
    const { reloader, told, notes, readyAs } = open();
    const { settled } = await reloader.begin(createLoaded({ notes: ['a note'] }));
    await readyAs(1, 'hello');
    await settled;
    expect(told).toEqual(['serving shop:dev-1']);
    expect(notes).toEqual(['a note', 'a note about the worker']);
  });

  it('tries a change out, and tells how long it took and what is new', async () => {
    const { clock, versions, told, durations, change, settle, readyAs } = await openServing();
    change('src/a.js');
    await clock.advance(123);
    await readyAs(2, 'hello', 'bye');
    expect(told).toEqual(['serving shop:dev-2', 'reloaded shop:dev-2 src/a.js +bye']);
    expect(durations).toEqual([123]);
    change('src/a.js');
    await settle();
    await readyAs(3, 'bye');
    expect(told.at(-1)).toBe('reloaded shop:dev-3 src/a.js -hello');
    expect(versions.told).toEqual(['accept shop:dev-2', 'accept shop:dev-3']);
  });

  it('I1: a change during a trial ends it; the newest state is tried, and the time counts from then', async () => {
    const { clock, versions, told, durations, change, settle, readyAs } = await openServing();
    change('a.js');
    await clock.advance(200);
    change('b.js');
    await settle();
    expect(versions.told).toEqual(['dismiss shop:dev-2']);
    await clock.advance(50);
    await readyAs(3, 'hello');
    expect(told).toEqual(['serving shop:dev-3', 'reloaded shop:dev-3 a.js b.js']);
    expect(durations).toEqual([50]);
  });

  it('I2: waits until the version is ready', async () => {
    const { versions, change, settle } = await openServing();
    change('a.js');
    await settle();
    expect([versions.told, [...versions.onTrial]]).toEqual([[], ['shop:dev-2']]);
  });

  it.each([
    ['has no functions', createStatus([], { error: 'It has none.' }), 'not reloaded: It has none.'],
    [
      'breaks one that works',
      createStatus(['hello'], { unloaded: [{ name: 'hello', message: 'oh', stack: 'Error: oh' }] }),
      'not reloaded: Error: oh',
    ],
  ])('I2: does not take a version that %s', async (_what, status, line) => {
    const { versions, told, change, settle } = await openServing();
    change('a.js');
    await settle();
    versions.made[1]?.ready.resolve(status);
    await settle();
    expect(told).toEqual([line]);
    expect(versions.told).toEqual(['dismiss shop:dev-2 with a report']);
    expect(versions.current?.key).toBe('shop:dev-1');
  });

  it('I3: goes on with the last good version whatever goes wrong, and takes the next good one', async () => {
    const { versions, told, state, change, settle, failAs, readyAs } = await openServing();
    state.loadError = new Error('/app/host.json is not valid JSON: oh (line 1, column 2).');
    change('host.json');
    await settle();
    delete state.loadError;
    change('host.json', 'a.js');
    await settle();
    await failAs(2, 'Error: no coffee\n    at /app/a.js:3:7');
    expect(versions.current?.key).toBe('shop:dev-1');
    change('a.js');
    await settle();
    await readyAs(3, 'hello');
    expect(told).toEqual([
      'not reloaded: host.json:1:2 /app/host.json is not valid JSON: oh (line 1, column 2).',
      'not reloaded: a.js:3:7 Error: no coffee\n    at /app/a.js:3:7',
      'serving shop:dev-3',
      'reloaded shop:dev-3 a.js',
    ]);
  });

  it('I4: tells a failure once, the same one again in a line, and a new one in full', async () => {
    const { told, state, change, settle, failAs, readyAs } = await openServing();
    state.syntax = { place: 'a.js:3', text: 'SyntaxError: oh' };
    for (const number of [2, 3]) {
      change('a.js');
      await settle();
      await failAs(number, 'oh');
    }
    state.syntax = { place: 'a.js:4', text: 'SyntaxError: oh' };
    change('a.js');
    await settle();
    await failAs(4, 'oh');
    change('a.js');
    await settle();
    await readyAs(5, 'hello');
    change('a.js');
    await settle();
    await failAs(6, 'oh');
    expect(told).toEqual([
      'not reloaded: a.js:3 SyntaxError: oh',
      'the same',
      'not reloaded: a.js:4 SyntaxError: oh',
      'serving shop:dev-5',
      'reloaded shop:dev-5 a.js',
      'not reloaded: a.js:4 SyntaxError: oh',
    ]);
  });

  it('I4: says nothing of a failure that a newer change may have mended', async () => {
    const { versions, told, state, change, settle, failAs } = await openServing();
    const checked = createDeferred<void>();
    state.syntaxDone = checked.promise;
    change('a.js');
    await settle();
    await failAs(2, 'oh');
    change('a.js');
    checked.resolve();
    await settle();
    expect(told).toEqual([]);
    expect(versions.told).toEqual(['dismiss shop:dev-2']);
  });

  it('I5: after it was closed nothing is tried, and the trial is over', async () => {
    const { versions, told, reloader, change, settle, readyAs } = await openServing();
    change('a.js');
    await settle();
    reloader.close();
    reloader.close();
    change('b.js');
    reloader.observe(createStatus(['hello'], { key: 'shop:dev-1' }));
    await settle();
    await readyAs(2, 'hello');
    expect(versions.told).toEqual(['dismiss shop:dev-2']);
    expect([told, versions.made.length]).toEqual([[], 2]);
  });

  it('mentions a version that takes long to load, once, and no other', async () => {
    const { clock, notes, reloader, change, settle, readyAs } = open();
    void reloader.begin(createLoaded());
    await clock.advance(9_999);
    notes.length = 0;
    await clock.advance(1);
    expect(notes).toEqual([expect.stringContaining('has been loading for 10 seconds')]);
    await readyAs(1, 'hello');
    change('a.js');
    await settle();
    await readyAs(2, 'hello');
    await clock.advance(60_000);
    expect(notes).toHaveLength(1);
    change('b.js');
    await settle();
    await clock.advance(10_000);
    expect(notes).toHaveLength(2);
  });

  it('thinks of a breakpoint first when a debugger may hold the code that loads', async () => {
    const { clock, notes, versions, reloader } = open();
    versions.arguments = ['--inspect-brk=127.0.0.1:0'];
    void reloader.begin(createLoaded());
    await clock.advance(10_000);
    expect(notes.at(-1)).toMatch(/for 10 seconds\. Where it stands at a breakpoint, go on in the debugger;/);
  });

  it('I5: says nothing of a first version that never started when everything ends', async () => {
    const { told, reloader, failAs } = open();
    const { settled } = await reloader.begin(createLoaded());
    reloader.close();
    await failAs(1, 'stopped before it was ready');
    await settled;
    expect(told).toEqual([]);
  });

  it('tells each note about the files once', async () => {
    const { notes, state, change, settle } = await openServing();
    notes.length = 0;
    state.notes = ['host.json: unknown key'];
    change('host.json');
    await settle();
    change('host.json');
    await settle();
    expect(notes).toEqual(['host.json: unknown key']);
  });
});

describe('AppReloader with a first version that does not start', () => {
  async function openFailing() {
    const run = open();
    const { settled } = await run.reloader.begin(createLoaded());
    await run.failAs(1, 'Error: no coffee');
    await settled;
    return run;
  }
  const failing = (error: string): JobHostStatus => createStatus([], { key: 'shop:dev-1', state: 'indexing', error });

  it('I4: tells why, and of further tries only what is new', async () => {
    const { reloader, told, settle } = await openFailing();
    reloader.observe(failing('Error: no coffee'));
    reloader.observe(failing('Error: no tea'));
    await settle();
    reloader.observe(failing('Error: no tea'));
    await settle();
    expect(told).toEqual(['not started: Error: no coffee', 'not started: Error: no tea']);
  });

  it('serves it when it comes up by itself', async () => {
    const { reloader, told, settle } = await openFailing();
    const status = createStatus(['hello'], { key: 'shop:dev-1' });
    reloader.observe(status);
    reloader.observe(status);
    await settle();
    expect(told.slice(1)).toEqual(['serving shop:dev-1']);
  });

  it('is not misled by the states of versions on trial', async () => {
    const { reloader, told, change, settle } = await openFailing();
    change('a.js');
    await settle();
    reloader.observe(createStatus(['hello'], { key: 'shop:dev-2' }));
    await settle();
    expect(told).toEqual(['not started: Error: no coffee']);
  });

  it('replaces it by a version that works', async () => {
    const { versions, told, change, settle, readyAs } = await openFailing();
    change('a.js');
    await settle();
    await readyAs(2, 'hello');
    expect(told.slice(1)).toEqual(['serving shop:dev-2', 'reloaded shop:dev-2 a.js']);
    expect(versions.current?.key).toBe('shop:dev-2');
  });

  it('rejects when the app cannot be hosted at all', async () => {
    const { reloader, versions, told, failAs } = open();
    versions.hosted = false;
    const { settled } = await reloader.begin(createLoaded());
    const refused = expect(settled).rejects.toThrow('its name is taken');
    await failAs(1, 'its name is taken');
    await refused;
    expect(told).toEqual([]);
  });

  it('is quiet about a first version whose place another one has taken', async () => {
    const { reloader, told, change, settle, readyAs, failAs } = open();
    const { settled } = await reloader.begin(createLoaded());
    change('a.js');
    await settle();
    await readyAs(2, 'hello');
    await failAs(1, 'stopped before it was ready');
    await settled;
    expect(told).toEqual(['serving shop:dev-2', 'reloaded shop:dev-2 a.js']);
  });
});

describe('AppReloader, whatever happens in whatever order', () => {
  const step = fc.record({
    kind: fc.constantFrom('change', 'ready', 'fail', 'empty', 'broken files', 'wait'),
    pick: fc.nat({ max: 3 }),
  });

  it('I1, I3, I5: has one trial at a time, always a version that serves, and nothing left in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, versions, state, reloader, change, settle } = await openServing();
        for (const { kind, pick } of steps) {
          const latest = versions.made.at(-1);
          if (kind === 'change') change(`file-${pick}.js`);
          else if (kind === 'ready') latest?.ready.resolve(createStatus(['hello'], { key: latest.version.key }));
          else if (kind === 'fail') latest?.ready.reject(new Error(`failure ${pick}`));
          else if (kind === 'empty') latest?.ready.resolve(createStatus([], { key: latest.version.key }));
          else if (kind === 'broken files') state.loadError = new Error('broken');
          else delete state.loadError;
          if (pick > 0) await settle();
          expect(versions.onTrial.size).toBeLessThanOrEqual(1);
          expect(versions.current).toBeDefined();
        }
        delete state.loadError;
        await settle();
        change('last.js');
        await settle();
        const last = versions.made.at(-1);
        last?.ready.resolve(createStatus(['hello'], { key: last.version.key }));
        await settle();
        expect(versions.current).toBe(last?.version);
        reloader.close();
        await settle();
        expect([versions.onTrial.size, versions.mostOnTrial <= 1, clock.pendingTimers]).toEqual([0, true, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
