import type { Log } from '@switchyard/kernel';
import { createNodeProcesses } from '@switchyard/sidecar';
import { listNodes } from '../nodes/index.ts';
import { createPlaceholderLaunches, type PlaceholderLaunches } from '../workers/placeholder-launches.ts';
import { readWorkerDeps } from '../workers/worker-resolution.ts';
import { openTenancy, openTenantFolders, type Tenancy } from './tenants/open-tenancy.ts';
import type { UpOptions } from './up-options.ts';
import { machineEnvironment } from './versions/worker-environment.ts';
import { WorkerProcesses } from './worker-processes.ts';

/** The programs of this machine, and as whom they run. */
export interface Machine {
  /** What every worker may see of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly processes: WorkerProcesses;
  readonly launches: PlaceholderLaunches;
  readonly tenancy: Tenancy;
}

export interface MachineScope {
  readonly options: UpOptions;
  readonly log: Log;
  /** It is there, and nobody else may enter it. */
  readonly dataFolder: string;
}

export async function openMachine({ options, log, dataFolder }: MachineScope): Promise<Machine> {
  const trusted = options.trustedTenants;
  const folders = await openTenantFolders(dataFolder, { trusted });
  const environment = machineEnvironment(options.environment);
  const processes = new WorkerProcesses(createNodeProcesses(), knock);
  const workerDeps = await readWorkerDeps(await listNodes(dataFolder));
  const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined;
  const installation = Object.fromEntries(Object.entries(options.environment).filter(isSet));
  const launchOptions = { emptyFolder: folders.empty, environment, installation };
  const launches = await createPlaceholderLaunches(workerDeps, launchOptions);
  const tenancy = await openTenancy({
    log,
    processes,
    dataFolder,
    folders,
    trusted,
    firstId: options.tenantUids,
    programs: launches.programs,
  });
  return { environment, processes, launches, tenancy };
}

/** Tells a Node.js process to open its inspector. */
function knock(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGUSR1');
  } catch {
    return false;
  }
}
