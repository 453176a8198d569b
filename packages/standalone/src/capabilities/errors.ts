import { defineErrors } from '@switchyard/kernel';

/** What keeps a command from reaching the capability broker. */
export const capabilityProcessErrors = defineErrors({
  BROKER_NOT_RUNNING: {
    blame: 'user',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "No capability broker runs here: '{path}' cannot be used: {reason}. Start one with: switchyard caps serve, or switchyard up; or name its data folder with --data-dir.",
  },
  SOCKET_FOLDER_TAKEN: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message: "'{path}' belongs to another user or is no folder. Remove it, or set TMPDIR to a folder of your own.",
  },
  BROKER_REFUSED: { blame: 'user', retry: 'never', http: 400, grpc: 9, exit: 2, message: '{reason}' },
});
