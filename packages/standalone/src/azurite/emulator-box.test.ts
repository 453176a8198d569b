import { join } from 'node:path';
import type { ProcessLaunch, ProcessObserver, ProcessPort } from '@switchyard/sidecar';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadedApplication, loadApplication } from '../application/load-application.ts';
import { DataFolder } from '../dev/data-folder.ts';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { openEmulatorBox } from './emulator-box.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const storageAt = (port: number): string =>
  `AccountName=devstoreaccount1;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:${port}/devstoreaccount1`;

async function app(name: string, storage: string): Promise<LoadedApplication> {
  const values = { FUNCTIONS_WORKER_RUNTIME: 'node', AzureWebJobsStorage: storage };
  const path = await folder.write(name, { 'host.json': { version: '2.0' }, 'local.settings.json': { Values: values } });
  return loadApplication(path, {});
}

/** Puts the emulator's package where a module in the test folder finds it. */
function installAzurite(): Promise<string> {
  return folder.write('node_modules/azurite', { 'package.json': {}, 'dist/src/azurite.js': '' });
}

interface Surroundings {
  readonly dataFolder?: DataFolder;
  /** Ports on which somebody listens already. */
  readonly taken?: readonly number[];
  /** The emulator never comes to listen. */
  readonly deaf?: boolean;
}

function open(applications: readonly LoadedApplication[], { dataFolder, taken = [], deaf = false }: Surroundings = {}) {
  const log = createMemoryLog();
  const launches: ProcessLaunch[] = [];
  const observers: ProcessObserver[] = [];
  const kills: string[] = [];
  const clock = new VirtualClock();
  const listening = new Set(taken);
  const processes: ProcessPort = {
    spawn(launch, observer) {
      launches.push(launch);
      observers.push(observer);
      const ports = launch.arguments.filter((argument) => /^\d+$/.test(argument)).map(Number);
      if (!deaf) for (const port of ports) listening.add(port);
      const kill = (signal: string): void => {
        kills.push(signal);
        observer.exited(0, null);
      };
      return { pid: launches.length, kill };
    },
  };
  const isListening = (_host: string, port: number): Promise<boolean> => Promise.resolve(listening.has(port));
  const box = openEmulatorBox(
    { clock, log, processes, isListening },
    { applications, searchFolders: [], executable: 'node', environment: { PATH: '/bin' }, dataFolder },
  );
  const messages = (): string[] => log.records.map(({ message }) => message);
  return { box, clock, launches, observers, kills, messages };
}

describe('openEmulatorBox', () => {
  it('starts the emulator where the settings want it, in memory', async () => {
    const script = join(await installAzurite(), 'dist', 'src', 'azurite.js');
    const port = 21_001;
    const { box, launches } = open([await app('one', storageAt(port))]);
    await box.opened;
    expect(launches).toHaveLength(1);
    expect(launches[0]?.arguments).toContain(script);
    expect(launches[0]?.arguments.join(' ')).toContain(`--queuePort ${port}`);
    expect(launches[0]?.arguments).toContain('--inMemoryPersistence');
    expect(launches[0]?.environment).toEqual({ PATH: '/bin' });
  });

  it('keeps the data in the data folder when there is one', async () => {
    await installAzurite();
    const port = 21_001;
    const dataFolder = new DataFolder(join(folder.path, 'data'));
    const { box, launches } = open([await app('one', storageAt(port))], { dataFolder });
    await box.opened;
    expect(launches[0]?.arguments.join(' ')).toContain(
      `--location ${join(dataFolder.path, 'storage', String(port - 1))}`,
    );
  });

  it('starts nothing for an app that wants a real account or none', async () => {
    const { box, launches } = open([await app('one', 'AccountName=real;AccountKey=k'), await app('two', '')]);
    await box.opened;
    expect(launches).toEqual([]);
  });

  it('I1: starts nothing where something listens', async () => {
    await installAzurite();
    const { box, launches } = open([await app('one', storageAt(21_001))], { taken: [21_000] });
    await box.opened;
    expect(launches).toEqual([]);
  });

  it('I2: starts one emulator for apps with the same addresses, and one more for another address', async () => {
    await installAzurite();
    const [first, second] = [21_001, 31_001];
    const applications = [
      await app('one', storageAt(first)),
      await app('two', storageAt(first)),
      await app('three', storageAt(second)),
    ];
    const { box, launches } = open(applications);
    await box.opened;
    expect(launches).toHaveLength(2);
  });

  it('I3: says how to install a missing emulator', async () => {
    const { box, launches, messages } = open([await app('one', storageAt(21_001))]);
    await box.opened;
    expect(launches).toEqual([]);
    expect(messages()).toEqual([expect.stringContaining("'npm install --save-dev azurite@3.35.0'")]);
  });

  it('I3: says when the emulator ends by itself', async () => {
    await installAzurite();
    const { box, observers, messages } = open([await app('one', storageAt(21_001))]);
    await box.opened;
    observers[0]?.exited(7, null);
    expect(messages().at(-1)).toContain('ended with exit code 7: it printed nothing');
  });

  it('I4: ends what it started', async () => {
    await installAzurite();
    const { box, kills, messages } = open([await app('one', storageAt(21_001))]);
    await box.opened;
    await box.close(1_000);
    expect(kills).toEqual(['SIGTERM']);
    expect(messages().filter((message) => message.includes('ended'))).toEqual([]);
  });

  it('I4: starts nothing any more when it is closed while it still looks', async () => {
    await installAzurite();
    const { box, launches } = open([await app('one', storageAt(21_001))]);
    await box.close(1_000);
    expect(launches).toEqual([]);
  });

  it('I4: ends an emulator that does not listen yet', async () => {
    await installAzurite();
    const { box, clock, kills } = open([await app('one', storageAt(21_001))], { deaf: true });
    await clock.settle();
    await clock.runUntil(box.close(1_000));
    expect(kills).toEqual(['SIGTERM']);
  });

  it('I6: opens what an app asks for later, each emulator once', async () => {
    await installAzurite();
    const { box, launches, kills } = open([await app('one', storageAt(21_001))]);
    await box.opened;
    box.include(await app('one', storageAt(21_001)));
    box.include(await app('one', storageAt(31_001)));
    box.include(await app('two', storageAt(31_001)));
    await box.close(1_000);
    expect(launches.length).toBe(kills.length);
    const later = open([]);
    later.box.include(await app('three', storageAt(41_001)));
    later.box.include(await app('three', storageAt(41_001)));
    await later.clock.settle();
    expect(later.launches).toHaveLength(1);
    expect(later.launches[0]?.arguments.join(' ')).toContain('--queuePort 41001');
  });

  it('I5: waits until the emulator listens', async () => {
    await installAzurite();
    const { box, clock } = open([await app('one', storageAt(21_001))], { deaf: true });
    let opened = false;
    box.opened.then(
      () => {
        opened = true;
      },
      () => {},
    );
    await clock.advance(29_000);
    expect(opened).toBe(false);
    await clock.advance(2_000);
    expect(opened).toBe(true);
  });

  it('I5: does not wait for an emulator that has ended', async () => {
    await installAzurite();
    const { box, clock, observers } = open([await app('one', storageAt(21_001))], { deaf: true });
    await clock.settle();
    observers[0]?.exited(1, null);
    await clock.runUntil(box.opened);
    expect(clock.monotonic()).toBeLessThan(1_000);
  });

  it('I6: starts what an app asks for later, once, and ends it too', async () => {
    await installAzurite();
    const [first, second] = [21_001, 31_001];
    const { box, clock, launches, kills } = open([await app('one', storageAt(first))]);
    await box.opened;
    const changed = await app('one', storageAt(second));
    for (const application of [changed, changed, await app('two', storageAt(first))]) box.include(application);
    await clock.settle();
    expect(launches.map((launch) => launch.arguments.join(' '))).toEqual([
      expect.stringContaining(`--queuePort ${first}`),
      expect.stringContaining(`--queuePort ${second}`),
    ]);
    await box.close(1_000);
    expect(kills).toEqual(['SIGTERM', 'SIGTERM']);
  });
});
