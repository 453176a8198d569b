import { defineErrors } from '@switchyard/kernel';

/** What keeps an app from getting waiting workers. */
export const assignErrors = defineErrors({
  ASSIGN_FAILED: {
    blame: 'platform',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message: "Worker '{workerId}' did not take the app: {reason}. The lines of its sidecar say more.",
  },
  ASSIGN_RUNTIME_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      "No worker of '{applicationId}' is among the sidecars that answer, so its Runtime is not known. Name where that takes workers: --runtime http://127.0.0.1:50051.",
  },
  ASSIGN_STACK_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      "It is not known what workers '{applicationId}' needs: {reason}. Name the stack of its workers: --stack node:24.",
  },
});
