import { defineErrors, type ErrorDefinition, type PlatformError } from '@switchyard/kernel';

type Kind = Omit<ErrorDefinition, 'message'>;

const startedWrong: Kind = { blame: 'platform', retry: 'never', http: 500, grpc: 3, exit: 1 };
const byTheApp: Kind = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 1 };
const byTheHost: Kind = { blame: 'platform', retry: 'never', http: 500, grpc: 3, exit: 1 };

/** Everything that can go wrong in the Node.js worker, by code. */
export const workerErrors = defineErrors({
  WORKER_ARGUMENT_MISSING: {
    ...startedWrong,
    message:
      'The worker was started without {names}. A Functions host passes them on the command line: start the worker ' +
      'through a host, or add them.',
  },
  WORKER_ARGUMENT_INVALID: {
    ...startedWrong,
    message: '{name} is "{value}", which is not {expected}. Correct the command line that starts the worker.',
  },
  HOST_VERSION_UNKNOWN: {
    ...byTheApp,
    message: 'hostVersion was read before the host introduced itself. Read it in an appStart hook or later.',
  },
  FUNCTION_REGISTERED_LATE: {
    ...byTheApp,
    message:
      'Function "{name}" was registered after the app had started, when the host already knew its functions. Register ' +
      'it while the entry file loads: at the top level, not in a callback.',
  },
  FUNCTION_REMOVED_LATE: {
    ...byTheApp,
    message:
      'Function "{name}" was disposed after the app had started, when the host already knew its functions. Dispose it ' +
      'while the entry file loads.',
  },
  FUNCTION_ID_TAKEN: {
    ...byTheApp,
    message: 'Two functions have the id "{id}". Give one of them another name.',
  },
  FUNCTION_METADATA_INVALID: {
    ...byTheApp,
    message: 'Function "{name}" cannot be registered: {path} is {found}, expected {expected}.',
  },
  HOOK_NAME_UNKNOWN: {
    ...byTheApp,
    message: 'There is no hook named "{name}". Hooks are: {known}.',
  },
  HOOK_CALLBACK_INVALID: {
    ...byTheApp,
    message: 'The "{name}" hook is {found}, expected a function.',
  },
  PROGRAMMING_MODEL_INVALID: {
    ...byTheApp,
    message: 'The programming model has no {member}. It must have a name, a version and getInvocationModel().',
  },
  PACKAGE_JSON_INVALID: {
    ...byTheApp,
    message: '{path} cannot be used: {reason}. Correct it and deploy again.',
  },
  ENTRY_POINT_FAILED: {
    ...byTheApp,
    message: 'The entry point "{file}" could not be loaded: {reason}',
  },
  ENTRY_POINT_MISSING: {
    ...byTheApp,
    message:
      'No file matches "main": "{pattern}" of {path}. Build the app, or name the files that register its functions.',
  },
  ENTRY_POINT_TOO_WIDE: {
    ...byTheApp,
    message: '"main": "{pattern}" makes the worker look at more than {limit} files. Name the folder of the functions.',
  },
  ENTRY_POINT_LOADED_BEFORE: {
    ...byTheApp,
    message:
      'This process has loaded the ES module {file} before, and Node.js evaluates a module once. Reload the app in a ' +
      'new worker.',
  },
  SCRIPT_MISSING: {
    ...byTheApp,
    message: 'Function "{name}" names no script file. Set "scriptFile" in its function.json.',
  },
  SCRIPT_FAILED: {
    ...byTheApp,
    message: 'Function "{name}" could not be loaded from {file}: {reason}',
  },
  SCRIPT_FUNCTION_MISSING: {
    ...byTheApp,
    message:
      'Function "{name}": {file} has no {expected} to call; it exports {found}. Export one function, or name it as ' +
      '"entryPoint" in function.json.',
  },
  FUNCTION_NOT_REGISTERED: {
    ...byTheApp,
    message: 'The app has not registered the function "{id}". It registered: {known}.',
  },
  FUNCTION_NOT_LOADED: {
    ...byTheHost,
    message: 'Function "{id}" is not loaded in this worker, so it cannot run.',
  },
  WORKING_DIRECTORY_FAILED: {
    ...byTheHost,
    message: 'The worker cannot change to the folder of the app, {path}: {reason}.',
  },
  INVOCATION_REPEATED: {
    ...byTheHost,
    message: 'Invocation {invocationId} of function "{functionId}" is running already; the second request was dropped.',
  },
  INVOCATIONS_EXHAUSTED: {
    ...byTheHost,
    retry: { afterMs: 1000 },
    http: 503,
    grpc: 8,
    message: 'The worker has {limit} invocations in flight and takes no more. Send fewer at a time.',
  },
  INVOCATION_CANCELLED: {
    ...byTheHost,
    message: 'Invocation {invocationId} was cancelled by the host.',
  },
  SHARED_MEMORY_UNSUPPORTED: {
    ...byTheHost,
    message: 'Input "{name}" came through shared memory, which this worker does not advertise. Send it in the message.',
  },
  RESPONSE_INVALID: {
    ...byTheApp,
    message: 'The result of the function cannot be sent: {path} is {found}, expected {expected}.',
  },
});

/** Marks an error as the platform's: libraries may report it in their telemetry, because it holds no user data. */
export function asSystemError(error: PlatformError): PlatformError {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}
