import { defineErrors, type ErrorDefinition } from '@switchyard/kernel';

const byTheFile: Omit<ErrorDefinition, 'message'> = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 1 };

/** What can be wrong with the language workers of a machine, and with what an app asks of them. */
export const catalogueErrors = defineErrors({
  WORKER_CONFIG_UNREADABLE: {
    ...byTheFile,
    message:
      "The language worker's '{file}' cannot be used: {reason}. Correct the file, or remove its folder when the worker is not needed.",
  },
  WORKER_CONFIG_INVALID: {
    ...byTheFile,
    message: "'{key}' in '{file}' is {value}, but it must be {expected}. Correct the file.",
  },
  WORKER_CONFIG_SHADOWED: {
    ...byTheFile,
    message:
      "The worker for '{language}' in '{file}' is not used, because '{used}' stands before it. Remove one of the two folders.",
  },
  WORKER_DIRECTORY_MISSING: {
    ...byTheFile,
    message:
      "'{directory}' ({source}) holds no language worker: {reason}. Name a folder with a worker.config.json, or with one folder per worker.",
  },
  WORKER_LANGUAGE_UNKNOWN: {
    ...byTheFile,
    message:
      "There is no worker for '{language}'. Workers are known for: {known}. Set FUNCTIONS_WORKER_RUNTIME to one of them, or name the folder that holds the worker and its worker.config.json in the variable {variable}.",
  },
  WORKER_LANGUAGE_DISABLED: {
    ...byTheFile,
    message: "The worker for '{language}' is switched off: 'isDisabled' in '{file}' is true. Set it to false.",
  },
  WORKER_SETTING_INVALID: {
    ...byTheFile,
    message: "The setting '{name}' is '{value}', but it must be {expected}. Correct it in the app's settings.",
  },
  WORKER_PLATFORM_UNSUPPORTED: {
    ...byTheFile,
    message:
      "The worker for '{language}' does not run on {actual}: '{key}' in '{file}' lists {supported}. Install a worker that was built for this machine.",
  },
  WORKER_VERSION_MISSING: {
    ...byTheFile,
    message:
      "The worker for '{language}' comes in several versions, and none is chosen: 'defaultRuntimeVersion' in '{file}' is empty. Set FUNCTIONS_WORKER_RUNTIME_VERSION to one of: {supported}.",
  },
  WORKER_VERSION_UNSUPPORTED: {
    ...byTheFile,
    message:
      "The worker for '{language}' does not support version '{version}' ({source}): '{key}' in '{file}' allows {supported}. Set FUNCTIONS_WORKER_RUNTIME_VERSION to a version that it supports.",
  },
  WORKER_INTERPRETER_MISSING: {
    ...byTheFile,
    message:
      "No '{executable}' here fits the worker for '{language}' ('{file}'): it needs {wanted}, and there is {found}. Install one, or name it in the setting 'languageWorkers__{language}__defaultExecutablePath'.",
  },
  WORKER_FILE_MISSING: {
    ...byTheFile,
    message:
      "The worker for '{language}' cannot start: there is no file '{path}' ('{key}' in '{file}' is '{value}').{hint} Install it, or correct the path.",
  },
});
