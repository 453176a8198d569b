/** From the words of a command line, and the environment of the wrapper, to the launch of a worker. */
import { tokenVariable } from '@switchyard/protocol';
import type { WorkerLaunch } from '@switchyard/sidecar';
import { wrapperProcessErrors } from './errors.ts';

/** What a command line says of a worker. */
export interface WrapperCommand {
  /** The program and its words. */
  readonly command: readonly string[];
  /** The word that is the worker's path; a restart can then change it, and the arguments in front of it. */
  readonly workerPath: string | undefined;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables that the worker gets beside the usual ones, by name. */
  readonly passes: readonly string[];
}

/**
 * The launch. Without a worker path every word behind the program is one of the arguments that a restart can change.
 * @throws PlatformError WRAPPER_COMMAND_MISSING, WRAPPER_WORKER_PATH_UNKNOWN
 */
export function toWrapperLaunch(given: WrapperCommand): WorkerLaunch {
  const [executable, ...words] = given.command;
  if (executable === undefined || executable === '') throw wrapperProcessErrors.create('WRAPPER_COMMAND_MISSING');
  const environment = toWorkerVariables(given.environment, given.passes);
  const { directory, workerPath } = given;
  if (workerPath === undefined) {
    return { executable, arguments: words, workerPath: '', workerArguments: [], directory, environment };
  }
  const at = words.indexOf(workerPath);
  if (at < 0) throw wrapperProcessErrors.create('WRAPPER_WORKER_PATH_UNKNOWN', { workerPath });
  return {
    executable,
    arguments: words.slice(0, at),
    workerPath,
    workerArguments: words.slice(at + 1),
    directory,
    environment,
  };
}

/** Variables that programs and language runtimes need, and that hold no secret of a customer. */
const usualNames: ReadonlySet<string> = new Set([
  ...[
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'HOSTNAME',
    'TMPDIR',
    'TMP',
    'TEMP',
    'TZ',
    'LANG',
    'LANGUAGE',
    'TERM',
  ],
  ...['NO_COLOR', 'FORCE_COLOR', 'LD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SystemRoot'],
  ...['NODE_OPTIONS', 'NODE_PATH', 'NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE', 'VIRTUAL_ENV'],
  ...['JAVA_HOME', 'JDK_HOME', 'PSModulePath', 'FUNCTIONS_URI', 'FUNCTIONS_NETHOST_PATH'],
]);

/** Beginnings of such names. */
const usualPrefixes: readonly string[] = ['LC_', 'PYTHON', 'DOTNET_', 'FUNCTIONS_WORKER_', 'FUNCTIONS_GRPC_'];

/**
 * The environment of a worker's process. Everybody who may look at the process can read it, so an app's settings do not
 * belong there: they come over the stream. The wrapper's own variables may hold them, and a token, so only the usual
 * ones are handed on.
 */
export function toWorkerVariables(
  environment: Readonly<Record<string, string | undefined>>,
  passes: readonly string[],
): Record<string, string> {
  const isPassed = (name: string): boolean =>
    usualNames.has(name) || passes.includes(name) || usualPrefixes.some((prefix) => name.startsWith(prefix));
  const passed = Object.entries(environment).flatMap(([name, value]): [string, string][] =>
    value !== undefined && name !== tokenVariable && isPassed(name) ? [[name, value]] : [],
  );
  return Object.fromEntries(passed);
}
