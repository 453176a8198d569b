import { type Log, systemClock } from '@switchyard/kernel';
import type { JobHostStatus, Runtime } from '@switchyard/runtime';
import type { ProcessPort } from '@switchyard/sidecar';
import type { TextSink } from '@switchyard/telemetry';
import type { CurrentApplications } from '../application/current-applications.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import type { PackFolder } from '../application/pack-download.ts';
import type { EmulatorBox } from '../azurite/emulator-box.ts';
import type { DebuggerPorts } from '../debugger/debugger-ports.ts';
import { withoutInspectorLines } from '../debugger/inspector-lines.ts';
import type { AppKeyStores } from '../keys/key-store.ts';
import type { DevOutput } from '../output/dev-output.ts';
import { AppLoop } from '../reload/app-loop.ts';
import { AppVersions } from '../reload/app-versions.ts';
import { nodeFolders } from '../reload/node-folders.ts';
import { createLogReloadOutput, createTextReloadOutput, type ReloadOutput } from '../reload/reload-output.ts';
import type { DevWorkers } from '../workers/dev-workers.ts';
import type { AppStarter } from './app-starter.ts';
import { devCategory } from './dev-log.ts';

/** What the development loops of all apps share. */
export interface LoopParts {
  readonly runtime: Runtime;
  readonly workers: DevWorkers;
  readonly debuggers: DebuggerPorts;
  /** Undefined lets every caller in. */
  readonly keyFile: AppKeyStores | undefined;
  readonly keyStores: AppKeyStores;
  readonly processes: ProcessPort;
  /** Undefined when no storage emulator may be started. */
  readonly emulators: EmulatorBox | undefined;
  readonly starter: AppStarter;
  readonly log: Log;
  readonly output: DevOutput;
  /** Kept up to date. */
  readonly current: CurrentApplications;
}

export interface LoopsOptions {
  readonly watches: boolean;
  readonly builds: boolean;
  readonly json: boolean;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly console: TextSink;
  readonly errors: TextSink;
  readonly baseUrlOf: (applicationId: string) => string;
  /** Packs apps for administrators who want their files. */
  readonly pack?: PackFolder;
  /** Reads an app's folder anew. */
  readonly load: (directory: string) => Promise<LoadedApplication>;
}

/** Makes the development loop of each app, by the app's id. */
export function createLoops(parts: LoopParts, options: LoopsOptions): ReadonlyMap<string, AppLoop> {
  const { debuggers, processes, emulators, starter, output, current } = parts;
  const reloadOutput = createReloadOutput(parts, options);
  const createLoop = (application: LoadedApplication): AppLoop => {
    const { applicationId, directory } = application;
    const log = withoutInspectorLines(parts.log, () => debuggers.has(applicationId));
    // Nobody edits an app before its loop has begun.
    const onEdit = (path: string): void => loop.edited(path);
    const deps = {
      clock: systemClock,
      folders: nodeFolders,
      processes,
      versions: new AppVersions({ ...parts, log, files: { pack: options.pack, onEdit } }),
      output: reloadOutput,
      note: (text: string) => output.note(applicationId, text),
      load: () => options.load(directory),
      async onServing(served: LoadedApplication, status: JobHostStatus) {
        current.replace(served);
        emulators?.include(served);
        await starter.serving(status);
      },
    };
    const where = { baseUrl: options.baseUrlOf(applicationId), executable: process.execPath };
    const loop = new AppLoop(deps, { ...options, ...where }, application);
    return loop;
  };
  return new Map(current.all.map((application) => [application.applicationId, createLoop(application)]));
}

function createReloadOutput({ log, current }: LoopParts, { json, console, errors }: LoopsOptions): ReloadOutput {
  if (json) return createLogReloadOutput(log.child({ category: devCategory }));
  return createTextReloadOutput({ console, errors, severalApps: current.all.length > 1 });
}
