import { parseDotnetExpression } from './dotnet-expression.ts';
import { catalogueErrors } from './errors.ts';
import { chooseInterpreter } from './interpreter.ts';
import { type Resolution, sameText, variableOf } from './resolution.ts';
import { supportedVersionOf } from './runtime-version.ts';

/** Stands in a worker's path for the version. */
const versionToken = '%FUNCTIONS_WORKER_RUNTIME_VERSION%';

/** Which version of a language an app gets, and which program runs it. */
export interface VersionChoice {
  readonly version: string;
  /** Not expanded yet. */
  readonly executable: string;
  /** What a person should know about the choice. */
  readonly note?: string;
}

/**
 * Chooses the version that the app asks for, else the one of the interpreter that fits best, else the worker's default.
 * @throws PlatformError WORKER_INTERPRETER_MISSING, WORKER_VERSION_MISSING, WORKER_VERSION_UNSUPPORTED
 */
export function chooseVersion(resolution: Resolution): VersionChoice {
  const { deps, config, description, settings, defaults } = resolution;
  const { language, supportedRuntimeVersions: supported, defaultExecutablePath: program } = description;
  const wanted = wantedVersion(resolution);
  const preferred = description.defaultRuntimeVersion;
  const candidates = program === defaults.interpreter ? deps.interpreters.get(program) : undefined;
  if (settings.defaultExecutablePath !== undefined || candidates === undefined) {
    const executable = settings.defaultExecutablePath ?? program;
    return { version: checkVersion(resolution, wanted ?? preferred), executable };
  }
  const known = defaults.knownVersions;
  const choice = chooseInterpreter({ candidates, wanted, preferred, supported, known });
  if (choice.kind === 'missing') {
    const found = candidates.map((candidate) => candidate.version).join(', ');
    throw catalogueErrors.create('WORKER_INTERPRETER_MISSING', {
      language,
      executable: program,
      file: config.file,
      wanted: `version ${choice.needed.join(' or ')}`,
      found: found === '' ? 'none' : `only ${found}`,
    });
  }
  const { path, version: installed } = choice.interpreter;
  const version = checkVersion(resolution, wanted ?? supportedVersionOf(supported, installed) ?? preferred);
  if (choice.known) return { version, executable: path };
  const note = `The worker for '${language}' starts with '${path}' ${installed}, on which nobody has tried it; known to do: ${known.join(', ')}.`;
  return { version, executable: path, note };
}

/** The version that the app asks for: FUNCTIONS_WORKER_RUNTIME_VERSION, when it is about this language, or a setting. */
function wantedVersion({ request, config, description, settings }: Resolution): string | undefined {
  const variable = variableOf(request.environment);
  const runtime = variable('FUNCTIONS_WORKER_RUNTIME')?.trim().toLowerCase() ?? '';
  const asked = variable('FUNCTIONS_WORKER_RUNTIME_VERSION')?.trim() ?? '';
  if (asked === '' || (runtime !== '' && runtime !== description.language)) return settings.defaultRuntimeVersion;
  const source = description.sanitizeRuntimeVersionRegex;
  const outcome = parseDotnetExpression(source);
  if (outcome.kind === 'invalid') return asked;
  const match = outcome.expression.find(asked);
  if (match.kind === 'found' && match.text !== '') return match.text;
  throw catalogueErrors.create('WORKER_VERSION_UNSUPPORTED', {
    language: description.language,
    version: asked,
    source: 'the setting FUNCTIONS_WORKER_RUNTIME_VERSION',
    key: 'sanitizeRuntimeVersionRegex',
    file: config.file,
    supported: `what matches ${source}`,
  });
}

/** A worker whose path holds the version exists in the versions that its file lists, and in no others. */
function checkVersion({ config, description, settings }: Resolution, version: string): string {
  const { language, defaultWorkerPath, supportedRuntimeVersions: supported } = description;
  if (!defaultWorkerPath.includes(versionToken)) return version;
  const details = { language, file: config.file, supported: supported.join(', ') };
  if (version === '') throw catalogueErrors.create('WORKER_VERSION_MISSING', details);
  if (supported.length === 0 || supported.some((entry) => sameText(entry, version))) return version;
  const setting =
    version === settings.defaultRuntimeVersion ? `languageWorkers__${language}__defaultRuntimeVersion` : '';
  throw catalogueErrors.create('WORKER_VERSION_UNSUPPORTED', {
    ...details,
    version,
    source: setting === '' ? 'FUNCTIONS_WORKER_RUNTIME_VERSION, or the default' : `the setting ${setting}`,
    key: 'supportedRuntimeVersions',
  });
}
