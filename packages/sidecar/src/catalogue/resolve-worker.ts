/**
 * From a worker of the catalogue and an app to the command line that starts it. The steps follow the official host:
 * profile, settings, version, interpreter, tokens, variables, and at last a look whether the files are there.
 */
import { resolve } from 'node:path';
import { createSettingsView } from '@switchyard/model';
import type { WorkerLaunch } from '../contract.ts';
import { catalogueErrors } from './errors.ts';
import { findWorker } from './find-worker.ts';
import { languageDefaults } from './language-defaults.ts';
import { checkLaunchFiles, toLaunch } from './launch-line.ts';
import { type Resolution, type ResolveWorkerDeps, variableOf, type WorkerRequest } from './resolution.ts';
import { chooseVersion } from './version-choice.ts';
import { chooseProfile } from './worker-profile.ts';
import { readWorkerSettings } from './worker-settings.ts';
import { toWorkerTraits, type WorkerTraits } from './worker-traits.ts';

export interface ResolvedWorker {
  readonly language: string;
  /** Empty when the worker has no version of its own. */
  readonly runtimeVersion: string;
  /** The worker.config.json that it came from. */
  readonly file: string;
  /** The name of the profile that was laid over the description. */
  readonly profile: string | undefined;
  readonly launch: WorkerLaunch;
  readonly traits: WorkerTraits;
  /** What a person should know about the choice, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Resolves the worker of an app. Reads files, starts nothing.
 * @throws PlatformError of the catalogue; each names the file or setting, the key, the value and the fix
 */
export async function resolveWorker(deps: ResolveWorkerDeps, asked: WorkerRequest): Promise<ResolvedWorker> {
  const request = { ...asked, language: asked.language.trim().toLowerCase() };
  const { language, scriptRoot, environment } = request;
  const variable = variableOf(environment);
  const settings = readWorkerSettings(createSettingsView(Object.entries(environment)), language);
  const config = await findWorker(deps.files, deps.catalogue, { language, scriptRoot, settings });
  const { profile, notes } = chooseProfile(config.profiles, { machine: deps.machine, variable });
  const description = { ...config.description, ...profile?.description, language };
  const directory = resolve(config.directory, description.workerDirectory);
  const defaults = languageDefaults(language);
  const resolution: Resolution = { deps, request, config, description, settings, defaults, directory };
  const { version, executable, note } = chooseVersion(resolution);
  const processCount = readProcessCount(resolution);
  const launch = toLaunch(resolution, version, executable);
  await checkLaunchFiles(resolution, launch);
  return {
    language,
    runtimeVersion: version,
    file: config.file,
    profile: profile?.name,
    launch,
    traits: toWorkerTraits(description, config.processOptions, processCount, defaults),
    notes: note === undefined ? notes : [...notes, note],
  };
}

function readProcessCount({ request, config, deps }: Resolution): number {
  const { processCount, maxProcessCount, setProcessCountToNumberOfCpuCores } = config.processOptions;
  const name = 'FUNCTIONS_WORKER_PROCESS_COUNT';
  const value = variableOf(request.environment)(name)?.trim() ?? '';
  if (value === '') return setProcessCountToNumberOfCpuCores ? deps.machine.processors : processCount;
  const count = /^\d{1,9}$/.test(value) ? Math.max(1, Number(value)) : Number.NaN;
  if (count <= maxProcessCount) return count;
  const expected = `a whole number from 1 to ${maxProcessCount} (maxProcessCount in '${config.file}')`;
  throw catalogueErrors.create('WORKER_SETTING_INVALID', { name, value, expected });
}
