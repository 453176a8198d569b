import type { Log } from '@switchyard/kernel';
import type { Runtime } from '@switchyard/runtime';
import type { MemoryMeter } from '@switchyard/telemetry';
import type { Closers } from '../dev/closers.ts';
import type { DataFolder } from '../dev/data-folder.ts';
import type { Fleet } from '../fleet/open-fleet.ts';
import type { RuntimeSettlements } from '../runtime/runtime-settlements.ts';
import type { PlaceholderLaunches } from '../workers/placeholder-launches.ts';
import type { AppLogs } from './app-logs.ts';
import type { OpenPackage } from './open-package.ts';
import type { Stores } from './open-stores.ts';
import type { UpSockets } from './open-up-sockets.ts';
import type { Workers } from './open-workers.ts';
import type { PackageSweeper } from './package-sweeper.ts';
import type { Tenancy } from './tenants/open-tenancy.ts';
import type { TraceTap } from './trace-tap.ts';
import type { Trust } from './trust.ts';
import type { UpOptions } from './up-options.ts';
import type { AppHosting } from './versions/app-hosting.ts';
import type { VersionSource } from './versions/version-source.ts';
import type { WorkerProcesses } from './worker-processes.ts';

/** What the parts of an installation share. */
export interface UpScope {
  readonly options: UpOptions;
  readonly log: Log;
  readonly logs: AppLogs;
  readonly meter: MemoryMeter;
  readonly closers: Closers;
  readonly data: DataFolder;
  readonly stores: Stores;
  readonly sockets: UpSockets;
  readonly settlements: RuntimeSettlements;
  readonly trust: Trust;
}

/** What hosts apps, before anybody is let in. */
export interface UpParts {
  readonly runtime: Runtime;
  /** Where there may be several Runtimes; `runtime` stands for all of them then. */
  readonly fleet: Fleet | undefined;
  readonly workers: Workers;
  readonly tenancy: Tenancy;
  readonly launches: PlaceholderLaunches;
  readonly processes: WorkerProcesses;
  readonly openPackage: OpenPackage;
  readonly sweeper: PackageSweeper;
  readonly versions: VersionSource;
  readonly hosting: AppHosting;
  readonly traces: TraceTap;
}
