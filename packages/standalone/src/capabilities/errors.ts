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
  BROKER_REFUSED: { blame: 'user', retry: 'never', http: 400, grpc: 9, exit: 2, message: '{reason}' },
});
