/**
 * worker.config.json, parsed once. Keys count in any case, as in the official host (WorkerConfigFactory); unknown ones are
 * skipped.
 */
import { dirname } from 'node:path';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { isJsonObject, type JsonObject, parseJsonText } from '@switchyard/model';
import { ConfigReader } from './config-reader.ts';
import { catalogueErrors } from './errors.ts';
import { catalogueLimits } from './limits.ts';
import { defaultProcessOptions, type ProcessOptions, readProcessOptions } from './process-options.ts';
import { parseProfiles, type WorkerProfile } from './worker-profile.ts';

/** How a language worker is started, as its file says it; nothing is expanded yet. */
export interface WorkerDescription {
  /** In lower case. */
  readonly language: string;
  readonly extensions: readonly string[];
  readonly defaultExecutablePath: string;
  /** Empty when the executable is the worker. */
  readonly defaultWorkerPath: string;
  /** Texts of one or more words, before the worker's path. */
  readonly arguments: readonly string[];
  /** Texts of one or more words, after the worker's path. */
  readonly workerArguments: readonly string[];
  /** The folder that relative paths start from; empty for the folder of the file. */
  readonly workerDirectory: string;
  /** Where the process runs; empty for the app's folder. */
  readonly executableWorkingDirectory: string;
  /** Empty when the worker has no version of its own. */
  readonly defaultRuntimeVersion: string;
  readonly supportedRuntimeVersions: readonly string[];
  readonly supportedOperatingSystems: readonly string[];
  readonly supportedArchitectures: readonly string[];
  /** Picks the version out of a longer text; empty for none. */
  readonly sanitizeRuntimeVersionRegex: string;
  /** The worker lists the functions of the app itself. */
  readonly workerIndexing: boolean;
  readonly canUsePlaceholder: boolean;
  readonly isDisabled: boolean;
  /** Every line on stderr is an error. */
  readonly useStdErrorStreamForErrorsOnly: boolean;
  /** The worker shows its pod the key of SWITCHYARD_WORKER_KEY. */
  readonly presentsWorkerKey: boolean;
}

/** One language worker of this machine. */
export interface WorkerConfig {
  /** The absolute path of worker.config.json. */
  readonly file: string;
  /** The folder that holds it. */
  readonly directory: string;
  readonly description: WorkerDescription;
  readonly processOptions: ProcessOptions;
  /** In the order of the file. */
  readonly profiles: readonly WorkerProfile[];
}

const defaultDescription: Omit<WorkerDescription, 'language' | 'defaultExecutablePath'> = {
  extensions: [],
  defaultWorkerPath: '',
  arguments: [],
  workerArguments: [],
  workerDirectory: '',
  executableWorkingDirectory: '',
  defaultRuntimeVersion: '',
  supportedRuntimeVersions: [],
  supportedOperatingSystems: [],
  supportedArchitectures: [],
  sanitizeRuntimeVersionRegex: '',
  workerIndexing: false,
  canUsePlaceholder: false,
  isDisabled: false,
  useStdErrorStreamForErrorsOnly: false,
  presentsWorkerKey: false,
};

/**
 * Parses the text of a worker.config.json.
 * @throws PlatformError WORKER_CONFIG_UNREADABLE, WORKER_CONFIG_INVALID
 */
export function parseWorkerConfig(text: string, file: string): WorkerConfig {
  const root = parseRoot(text, file);
  const reader = new ConfigReader(file, root, '');
  const given = readDescription(reader.section('description') ?? reader.fail('description', undefined, 'an object'));
  const language = given.language ?? '';
  if (!/^[a-z][a-z0-9-]*$/.test(language)) {
    reader.fail('description.language', given.language, "a language's name, like 'node' or 'python'");
  }
  const defaultExecutablePath = given.defaultExecutablePath ?? '';
  if (defaultExecutablePath === '') {
    reader.fail('description.defaultExecutablePath', given.defaultExecutablePath, 'the program that runs the worker');
  }
  const options = reader.section('processOptions');
  return {
    file,
    directory: dirname(file),
    description: { ...defaultDescription, ...given, language, defaultExecutablePath },
    processOptions: options === undefined ? defaultProcessOptions : readProcessOptions(options),
    profiles: parseProfiles(reader, readDescription),
  };
}

function parseRoot(text: string, file: string): JsonObject {
  const unreadable = (reason: string): never => {
    throw catalogueErrors.create('WORKER_CONFIG_UNREADABLE', { file, reason });
  };
  if (text.length > catalogueLimits.configLength) {
    return unreadable(`it is longer than ${catalogueLimits.configLength} characters`);
  }
  try {
    const root = parseJsonText(text, file);
    return isJsonObject(root) ? root : unreadable('it holds no JSON object');
  } catch (thrown) {
    if (isPlatformError(thrown) && thrown.code === 'WORKER_CONFIG_UNREADABLE') throw thrown;
    return unreadable(messageOf(thrown));
  }
}

/** What the file names and is not empty: an empty value leaves the default, or what stands before a profile. */
function readDescription(reader: ConfigReader): Partial<WorkerDescription> {
  const given = {
    language: reader.text('language')?.toLowerCase(),
    extensions: reader.texts('extensions'),
    defaultExecutablePath: reader.text('defaultExecutablePath'),
    defaultWorkerPath: reader.text('defaultWorkerPath'),
    arguments: reader.texts('arguments'),
    workerArguments: reader.texts('workerArguments'),
    workerDirectory: reader.text('workerDirectory'),
    executableWorkingDirectory: reader.text('executableWorkingDirectory'),
    defaultRuntimeVersion: reader.text('defaultRuntimeVersion'),
    supportedRuntimeVersions: reader.texts('supportedRuntimeVersions'),
    supportedOperatingSystems: reader.texts('supportedOperatingSystems'),
    supportedArchitectures: reader.texts('supportedArchitectures'),
    sanitizeRuntimeVersionRegex: reader.expression('sanitizeRuntimeVersionRegex'),
    workerIndexing: reader.flag('workerIndexing'),
    canUsePlaceholder: reader.flag('canUsePlaceholder'),
    isDisabled: reader.flag('isDisabled'),
    useStdErrorStreamForErrorsOnly: reader.flag('useStdErrorStreamForErrorsOnly'),
    presentsWorkerKey: reader.flag('presentsWorkerKey'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: string | boolean | readonly string[] | undefined): boolean {
  return value === undefined || (typeof value !== 'boolean' && value.length === 0);
}
