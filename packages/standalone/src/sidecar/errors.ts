import { defineErrors } from '@switchyard/kernel';

/** What keeps a sidecar from running as a process of its own. */
export const sidecarProcessErrors = defineErrors({
  SIDECAR_WORKER_ID_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      'WORKER_AUTH_TOKEN belongs to one worker, and WORKER_ID does not say which. Set it to the id that the token names.',
  },
  SIDECAR_WRAPPER_SILENT: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "No wrapper answered at '{path}' within {timeoutMs} ms. Start it first: switchyard wrapper --socket {path} -- <program of the worker>.",
  },
  SIDECAR_WORKER_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Worker '{workerId}' ended ({how}). Its last output was:\n{output}",
  },
});
