import { defineErrors } from '@switchyard/kernel';

/** What can go wrong while workers are started. The pod host reports these as `failed` events and tries again. */
export const podErrors = defineErrors({
  POD_LAUNCH_UNKNOWN: {
    blame: 'platform',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "How to start a worker of app '{applicationId}' could not be found out: {reason}. Check that the app's folder is readable.",
  },
  POD_START_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "No worker of app '{applicationId}' could be started: '{executable}' did not start because {reason}. Check that it is installed, or name another one in the setting 'languageWorkers__<language>__defaultExecutablePath'.",
  },
  POD_STACK_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 503,
    grpc: 9,
    exit: 1,
    message: "No placeholder for '{runtime}' can be started: {reason}",
  },
  POD_PLACEHOLDER_FAILED: {
    blame: 'platform',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Placeholder '{workerId}' never became warm: {reason}. Its last output: {output}",
  },
  POD_START_QUEUE_FULL: {
    blame: 'platform',
    retry: 'safe',
    http: 503,
    grpc: 8,
    exit: 1,
    message: "A worker of app '{applicationId}' has to wait: {limit} others already wait for their start.",
  },
});
