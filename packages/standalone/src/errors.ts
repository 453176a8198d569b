import { defineErrors } from '@switchyard/kernel';

/** Exit codes of the command line (packages/cli/src/exit-codes.ts lists them for people). */
const appExit = 2;
const machineExit = 3;

/** What keeps an app, or everything, from starting on this machine. */
export const standaloneErrors = defineErrors({
  APP_FOLDER_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: appExit,
    message: "'{path}' does not exist. Name the folder of a function app: the one that holds its host.json.",
  },
  APP_FOLDER_IS_A_FILE: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message: "'{path}' is a file. Name the folder of a function app: the one that holds its host.json.",
  },
  APP_FOLDER_UNREADABLE: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: appExit,
    message: "'{path}' cannot be read: {reason}. Give yourself the right to read it, or name another folder.",
  },
  APP_FOLDER_IS_NO_APP: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message:
      '\'{path}\' is no function app: it holds no host.json, no local.settings.json and no folder with a function.json. Name the app\'s own folder, or make it one with a host.json that says {"version": "2.0"}.',
  },
  APP_FILE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message: '{file}: {reason}',
  },
  APP_ID_TAKEN: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: appExit,
    message:
      "'{path}' and '{other}' would both be the app '{applicationId}': an app is named after its folder. Rename one of the folders, or leave one out.",
  },
  APP_RUNTIME_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message:
      "Nothing in '{path}' tells in which language app '{applicationId}' is written. Set FUNCTIONS_WORKER_RUNTIME in local.settings.json, for example to 'node'.",
  },
  PORT_IN_USE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      'Port {port} is unavailable: another program listens on {host}. End it, or choose another port with {flag} (0 takes any that is free).',
  },
  PORT_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      'Nothing can listen on port {port} of {host}: {reason}. Choose another port with {flag}, or another address.',
  },
  DATA_FOLDER_UNWRITABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      "'{path}' cannot be written: {reason}. Give yourself the right to write it, or name another folder with --data-dir.",
  },
  KEY_STORAGE_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      "App '{applicationId}' asks for its keys to be kept in '{type}' (AzureWebJobsSecretStorageType), which is no place that Switchyard knows. Use 'files' or 'blob', or remove the setting.",
  },
  KEY_STORAGE_UNREACHABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      "App '{applicationId}' asks for its keys to be kept in blob storage (AzureWebJobsSecretStorageType), but AzureWebJobsStorage is no connection string that can be used. Set it, or use 'files'.",
  },
  KEYS_FILE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message: '{file} does not hold function keys: {reason}. Repair it, or delete it to get new keys.',
  },
  AZURITE_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: machineExit,
    message:
      "App '{applicationId}' wants development storage, nothing listens on {address}, and the storage emulator is not installed. Install it with 'npm install --save-dev azurite@3.35.0', or start one yourself. HTTP functions work without it.",
  },
  AZURITE_FAILED: {
    blame: 'dependency',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: machineExit,
    message: 'The storage emulator Azurite ended with exit code {exitCode}: {reason}. HTTP functions work without it.',
  },
  STACK_UNAVAILABLE: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: appExit,
    message:
      "Apps in '{runtime}' cannot be hosted here: {reason}.\nDeploy an app for one of {known}, or set FUNCTIONS_WORKER_RUNTIME to what the app is written in.",
  },
  INVOKE_PATH_NEEDED: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message:
      "Function '{functionName}' of app '{applicationId}' has parameters in its route '{route}'.\nSay which path to call, for example with --path.",
  },
  INVOKE_ANSWER_TOO_LONG: {
    blame: 'user',
    retry: 'never',
    http: 502,
    grpc: 8,
    exit: appExit,
    message:
      "The function of app '{applicationId}' answered with more than {limitBytes} bytes, which is too much for this way.\nCall its URL instead.",
  },
  INVOKE_FAILED: {
    blame: 'dependency',
    retry: 'never',
    http: 502,
    grpc: 14,
    exit: appExit,
    message: "The function of app '{applicationId}' could not be called: {reason}.\nLook at the logs of the app.",
  },
  INDEXING_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 422,
    grpc: 9,
    exit: appExit,
    message:
      "The functions of app '{applicationId}' could not be listed: {reason}.\nSee whether the app runs with `switchyard dev`, and whether all of its dependencies were deployed.",
  },
  FUNCTION_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: appExit,
    message: "App '{applicationId}' has no function '{functionName}'.\nCall one that it has: {known}.",
  },
  DEBUG_NO_WORKER: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: appExit,
    message:
      "App '{applicationId}' has no worker{which} to debug.\nCall one of its functions first, so that it has one; `switchyard ps` shows its workers.",
  },
  DEBUG_UNSUPPORTED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: appExit,
    message:
      "Worker '{workerId}' of app '{applicationId}' opened no inspector within {timeoutMs} ms: only workers on Node.js have one.\nDebug the app with `switchyard dev` and the tools of its language.",
  },
  TENANT_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: appExit,
    message:
      "App '{applicationId}' of tenant '{tenantId}' cannot be hosted: {reason}.\nStart with --trusted-tenants if the tenants trust each other, else give each tenant an installation of its own.",
  },
  TENANT_USERS_UNREADABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      "'{file}' says which operating system user belongs to which tenant, and it cannot be used: {reason}. Bring it back from a backup: the files of each tenant belong to its user.",
  },
  TENANT_USERS_USED_UP: {
    blame: 'user',
    retry: 'never',
    http: 507,
    grpc: 8,
    exit: machineExit,
    message:
      "No operating system user is left for tenant '{tenantId}': all ids from {firstId} to {lastId} are taken. Begin lower with --tenant-uids, or give some tenants an installation of their own.",
  },
  NODE_RELEASE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message:
      "'{version}' is no release of Node.js that workers run on. Name one from 20 on: 22 for the newest 22, or 22.11.0 for that one.",
  },
  NODE_RELEASE_UNAVAILABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: machineExit,
    message:
      "Node.js {version} could not be fetched (package '{name}'): {reason}. Look whether npm works and whether there is such a release for this machine.",
  },
  DATA_FOLDER_IN_USE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: machineExit,
    message:
      "Another `switchyard up` works with '{path}'. Stop it, or name another folder with --data-dir and other ports.",
  },
  WORKER_HTTP_ADDRESS: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 7,
    exit: 1,
    message:
      "The worker announced '{httpUri}' as the address at which it takes HTTP requests (HttpUri), which is not called: without --worker-network only http:// addresses of this machine are, and with it https:// addresses there, or http:// ones with --allow-clear-tokens. Let a worker announce http://localhost:<port>/; its sidecar announces its own address (--http-url).",
  },
  FUNCTION_FOLDER_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: appExit,
    message: "The function '{name}' cannot be changed here: {reason}. Nothing was changed.",
  },
  FUNCTION_FOLDER_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: appExit,
    message: "'{name}' would be no function that runs: {reason}. Nothing was changed.",
  },
});
