/**
 * The storage emulators that the apps of one installation ask for: finds out which are needed, starts those that
 * nobody else has started, and ends them with us.
 *
 * Ownership: the composition root opens the box and closes it; nothing ever waits for it.
 *
 * I1 Where something listens already, nothing is started.
 * I2 Apps that ask for the same addresses share one emulator.
 * I3 An emulator that is missing or ends is an error line; everything else goes on.
 * I4 `close` ends every emulator of ours, also one whose start is under way.
 * I5 `opened` resolves when every emulator of ours that was asked for by then listens, has ended, or took longer than the
 *    limit.
 * I6 What an app asks for later is opened then, each emulator once.
 */
import { join } from 'node:path';
import { type Clock, type Log, messageOf, sleep } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';
import type { LoadedApplication } from '../application/load-application.ts';
import type { DataFolder } from '../dev/data-folder.ts';
import { standaloneErrors } from '../errors.ts';
import { type AzuriteProcess, startAzurite } from './azurite-process.ts';
import { type EmulatorAddresses, emulatorOf } from './development-storage.ts';
import { findAzurite } from './find-azurite.ts';
import type { StorageOpening } from './patient-storage.ts';

/** An app, as far as its storage is concerned. */
export type StorageUser = Pick<LoadedApplication, 'applicationId' | 'directory' | 'settings' | 'localNames'>;

export interface EmulatorBoxDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: ProcessPort;
  /** True when something accepts connections there. Never rejects. */
  readonly isListening: (host: string, port: number) => Promise<boolean>;
}

export interface EmulatorBoxOptions {
  readonly applications: readonly StorageUser[];
  /** Folders from which the emulator's package is looked for, besides those of the apps. */
  readonly searchFolders: readonly string[];
  readonly executable: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where data stays over restarts; undefined keeps it in memory. */
  readonly dataFolder: DataFolder | undefined;
}

export interface EmulatorBox extends StorageOpening {
  /** Opens what the app asks for now and nobody asked for before. */
  include(application: StorageUser): void;
  close(graceMs: number): Promise<void>;
}

/** What an app needs, and who asks first. */
interface Demand {
  readonly key: string;
  readonly addresses: EmulatorAddresses;
  readonly application: StorageUser;
}

/** Azurite listens after less than a second; on a machine under load it takes longer. */
const startLimitMs = 30_000;
const pollMs = 50;

/** The setting that the host itself uses, wherever it comes from. */
const hostStorageSetting = 'AzureWebJobsStorage';

/** Begins to open the emulators; returns at once. */
export function openEmulatorBox(deps: EmulatorBoxDeps, options: EmulatorBoxOptions): EmulatorBox {
  const started: AzuriteProcess[] = [];
  const known = new Set<string>();
  let isClosed = false;

  const open = async (demand: Demand): Promise<void> => {
    if ((await whoListens(deps, demand.addresses)).includes(true)) return;
    await options.dataFolder?.prepare();
    if (isClosed) return;
    const process = start(deps, options, demand);
    if (process === undefined) return;
    started.push(process);
    const deadlineMs = deps.clock.monotonic() + startLimitMs;
    while (process.isRunning && deps.clock.monotonic() < deadlineMs) {
      if (!(await whoListens(deps, demand.addresses)).includes(false)) return;
      await sleep(deps.clock, pollMs);
    }
  };
  const openAll = (applications: readonly StorageUser[]): Promise<void> => {
    const wanted = demandsOf(applications).filter(({ key }) => !known.has(key));
    for (const { key } of wanted) known.add(key);
    return Promise.all(wanted.map(open)).then(
      () => {},
      (error: unknown) =>
        deps.log.write('error', 'The storage emulator could not be started', { error: messageOf(error) }),
    );
  };
  let opening = 1;
  let opened = openAll(options.applications).then(() => {
    opening -= 1;
  });
  return {
    get opened() {
      return opened;
    },
    get isOpen() {
      return opening === 0;
    },
    include(application) {
      if (demandsOf([application]).every(({ key }) => known.has(key))) return;
      opening += 1;
      opened = Promise.all([opened, openAll([application])]).then(() => {
        opening -= 1;
      });
    },
    async close(graceMs) {
      isClosed = true;
      await Promise.all(started.map((process) => process.stop(graceMs)));
      await opened;
    },
  };
}

/** The emulators that the settings ask for, each once. */
export function demandsOf(applications: readonly StorageUser[]): readonly Demand[] {
  const demands = new Map<string, Demand>();
  for (const application of applications)
    for (const name of new Set([hostStorageSetting, ...application.localNames])) {
      const addresses = emulatorOf(application.settings.get(name) ?? '');
      if (addresses === undefined) continue;
      const key = JSON.stringify(addresses);
      if (!demands.has(key)) demands.set(key, { key, addresses, application });
    }
  return [...demands.values()];
}

function whoListens({ isListening }: EmulatorBoxDeps, addresses: EmulatorAddresses): Promise<boolean[]> {
  const { host, blobPort, queuePort, tablePort } = addresses;
  return Promise.all([blobPort, queuePort, tablePort].map((port) => isListening(host, port)));
}

function start(deps: EmulatorBoxDeps, options: EmulatorBoxOptions, demand: Demand): AzuriteProcess | undefined {
  const { addresses, application } = demand;
  const { log } = deps;
  const address = `${addresses.host}:${addresses.queuePort}`;
  const script = findAzurite([application.directory, ...options.searchFolders]);
  if (script === undefined) {
    const { applicationId } = application;
    log.write('error', standaloneErrors.create('AZURITE_MISSING', { applicationId, address }).message);
    return undefined;
  }
  const { dataFolder, executable, environment } = options;
  const folder = dataFolder === undefined ? undefined : join(dataFolder.path, 'storage', String(addresses.blobPort));
  log.write('debug', 'Storage emulator started', { address, folder: folder ?? 'in memory' });
  return startAzurite(deps, {
    script,
    executable,
    addresses,
    folder,
    directory: application.directory,
    environment,
    onFailure: (exitCode, reason) => {
      const details = { exitCode: exitCode ?? 'none', reason: reason === '' ? 'it printed nothing' : reason };
      log.write('error', standaloneErrors.create('AZURITE_FAILED', details).message);
    },
  });
}
