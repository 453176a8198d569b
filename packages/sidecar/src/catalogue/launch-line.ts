import { isAbsolute, resolve, sep } from 'node:path';
import { expandVariables, splitCommandWords } from '@switchyard/protocol';
import type { WorkerLaunch } from '../contract.ts';
import { catalogueErrors } from './errors.ts';
import { type Resolution, sameText, variableOf } from './resolution.ts';

/**
 * Fills in the tokens and variables of a description. `executable` is the program, not expanded yet.
 * @throws PlatformError WORKER_PLATFORM_UNSUPPORTED
 */
export function toLaunch(resolution: Resolution, version: string, executable: string): WorkerLaunch {
  const { request, description, settings, directory } = resolution;
  const environment = toEnvironment(resolution, version);
  const variable = variableOf(environment);
  const expand = (text: string): string => expandVariables(withTokens(text, directory), variable);
  const path = (text: string): string => (text === '' ? '' : resolve(directory, expand(text)));
  // Tokens come last: a folder's name may hold blanks, which separate words.
  const words = (texts: readonly string[]): string[] =>
    texts
      .flatMap((text) => splitCommandWords(expandVariables(text, variable)))
      .map((word) => withTokens(word, directory));
  const program = expand(executable);
  const home = settings.defaultExecutablePath === undefined ? directory : request.scriptRoot;
  return {
    executable: isBareName(program) ? program : resolve(home, program),
    arguments: [...words(description.arguments), ...words(settings.arguments)],
    workerPath: path(withPlatform(resolution, description.defaultWorkerPath)),
    workerArguments: words(description.workerArguments),
    directory: path(description.executableWorkingDirectory) || request.scriptRoot,
    environment,
  };
}

function toEnvironment({ request, directory, defaults }: Resolution, version: string): Record<string, string> {
  const { environment, scriptRoot } = request;
  const unset = Object.entries({ AzureWebJobsScriptRoot: scriptRoot, ...defaults.environment }).filter(
    ([name]) => (variableOf(environment)(name) ?? '') === '',
  );
  return {
    ...environment,
    ...Object.fromEntries(unset),
    ...(version === '' ? {} : { FUNCTIONS_WORKER_RUNTIME_VERSION: version }),
    FUNCTIONS_WORKER_DIRECTORY: directory,
    FUNCTIONS_APPLICATION_DIRECTORY: scriptRoot,
  };
}

/**
 * Looks whether the files that a launch names are there; a bare program name is left to the system.
 * @throws PlatformError WORKER_FILE_MISSING
 */
export async function checkLaunchFiles(
  { deps, config, description, settings }: Resolution,
  launch: WorkerLaunch,
): Promise<void> {
  const check = async (key: string, value: string, path: string, file: string): Promise<void> => {
    if (path === '' || isBareName(path) || (await deps.files.hasFile(path))) return;
    const hint = unsetHint(value, launch.environment);
    throw catalogueErrors.create('WORKER_FILE_MISSING', {
      language: description.language,
      key,
      value,
      path,
      file,
      hint,
    });
  };
  await check('defaultWorkerPath', description.defaultWorkerPath, launch.workerPath, config.file);
  const { defaultExecutablePath: own } = settings;
  const value = own ?? description.defaultExecutablePath;
  await check(
    'defaultExecutablePath',
    value,
    launch.executable,
    own === undefined ? config.file : "the app's settings",
  );
}

/** A missing file is often a variable that nobody set. */
function unsetHint(value: string, environment: Readonly<Record<string, string>>): string {
  const unset = [...value.matchAll(/%([^%\s=]+)%/g)]
    .map(([, name = '']) => name)
    .filter((name) => (variableOf(environment)(name) ?? '') === '');
  return unset.length === 0 ? '' : ` The variable ${unset.join(', ')} is not set.`;
}

/** Fills in `{os}` and `{architecture}`; a worker that lists what it supports must list this machine. */
function withPlatform({ deps, config, description }: Resolution, text: string): string {
  const { operatingSystem, architecture } = deps.machine;
  const fill = (path: string, token: string, actual: string, key: string, supported: readonly string[]): string => {
    if (!path.includes(token)) return path;
    if (supported.length === 0 || supported.some((entry) => sameText(entry, actual))) {
      return path.replaceAll(token, actual);
    }
    throw catalogueErrors.create('WORKER_PLATFORM_UNSUPPORTED', {
      language: description.language,
      actual,
      key,
      file: config.file,
      supported: supported.join(', '),
    });
  };
  const { supportedOperatingSystems, supportedArchitectures } = description;
  const withSystem = fill(text, '{os}', operatingSystem, 'supportedOperatingSystems', supportedOperatingSystems);
  return fill(withSystem, '{architecture}', architecture, 'supportedArchitectures', supportedArchitectures);
}

/** `{WorkerRoot}` stands before a file name without a separator between them. */
function withTokens(text: string, directory: string): string {
  return text.replaceAll('{workerDirectoryPath}', directory).replaceAll('{WorkerRoot}', `${directory}${sep}`);
}

/** A program that the system finds by its name. */
function isBareName(program: string): boolean {
  return !isAbsolute(program) && !/[/\\]/.test(program);
}
