import { defineErrors } from '@switchyard/kernel';

/** What keeps an app from getting its workers. The supply reports these as `failed` events and tries again. */
export const scaleErrors = defineErrors({
  AGENT_POD_FAILED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "The container of worker '{workerId}' is of no use: {reason}. Look at it on the agent with: switchyard job result {workerId}",
  },
  KUBERNETES_POD_FAILED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "The pod of worker '{workerId}' is of no use: {reason}.",
  },
  KUBERNETES_REFUSED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      'The cluster has refused: {what} (status {status}): {reason}. Check the rights of the service account and the quota of the namespace.',
  },
  ROLLOUT_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The roll-out of app '{applicationId}' cannot do that: {reason}.\nLook at it with: switchyard rollout {applicationId}",
  },
  SCALE_ASSIGNMENT_UNKNOWN: {
    blame: 'platform',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "What a worker of app '{applicationId}' needs could not be found out: {reason}.",
  },
  SCALE_DATABASE_UNAVAILABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      'The PostgreSQL that keeps what the scale controller knows did not do what was asked: {reason}. Check its address, its rights and that it runs.',
  },
  SCALE_DOCUMENT_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 3,
    exit: 1,
    message:
      "The {kind} of '{key}' cannot be kept: it has {sizeBytes} bytes, and {maxBytes} with a key of {maxCharacters} characters are the most. Say less in it.",
  },
  SCALE_REVISION_CONFLICT: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 10,
    exit: 1,
    message:
      'The {what} is at revision {present}, and the change was made for {seen}: somebody else was first.\nRead it again and change that.',
  },
  SCALE_SOURCES_LATE: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message:
      "The sources of app '{applicationId}' did not say within {answerMs} ms what waits there. They are asked again; check that its queues can be reached.",
  },
  SCALE_STORE_UNREADABLE: {
    blame: 'dependency',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message:
      "What the scale controller keeps in '{file}' cannot be opened: {reason}. Check that the file is its own and can be written, or move it away to begin anew.",
  },
  SCALER_METADATA_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The metadata of the ScaledObject is not understood: {reason}. Change its trigger of type external.',
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
