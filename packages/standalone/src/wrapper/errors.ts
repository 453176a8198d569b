import { defineErrors } from '@switchyard/kernel';

/** What keeps a wrapper from running its worker. */
export const wrapperProcessErrors = defineErrors({
  WRAPPER_COMMAND_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message: 'There is no command to run. Name it behind two dashes: switchyard wrapper -- node worker.js.',
  },
  WRAPPER_WORKER_PATH_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message: "The command does not hold '{workerPath}'. --worker-path names one of its words, written the same way.",
  },
  WRAPPER_COMMAND_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    // What a shell answers for a program that it cannot find.
    exit: 127,
    message: "'{executable}' could not be started: {reason}. Name a program that is installed, or its whole path.",
  },
  WRAPPER_SOCKET_TAKEN: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: 3,
    message: "Another wrapper listens at '{path}'. Give each its own --socket.",
  },
  WRAPPER_SOCKET_UNUSABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message:
      "No socket can be opened at '{path}': {reason}. Name another path with --socket, in a folder that may be written.",
  },
});
