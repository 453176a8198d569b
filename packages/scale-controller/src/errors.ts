import { defineErrors } from '@switchyard/kernel';

/** What keeps an app from getting its workers. The supply reports these as `failed` events and tries again. */
export const scaleErrors = defineErrors({
  SCALE_ASSIGNMENT_UNKNOWN: {
    blame: 'platform',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "What a worker of app '{applicationId}' needs could not be found out: {reason}.",
  },
  SCALE_WORKER_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "A worker of app '{applicationId}' did not come up: {reason}",
  },
});
