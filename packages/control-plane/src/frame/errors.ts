import { defineErrors } from '@switchyard/kernel';

/** What goes wrong in the workers of the control plane. */
export const workerErrors = defineErrors({
  WORKER_FENCED: {
    blame: 'platform',
    retry: 'safe',
    http: 409,
    grpc: 10,
    exit: 1,
    message:
      "The worker '{worker}' lost its lease of '{key}' to another one while it acted, so what it found was not kept.\nNothing is to be done: whoever has the lease now goes on.",
  },
  WORKER_RESTLESS: {
    blame: 'platform',
    retry: { afterMs: 60_000 },
    http: 500,
    grpc: 13,
    exit: 1,
    message:
      "The worker '{worker}' acted {actions} times on '{key}' and still found something to do.\nIt goes on later; if it does not end, please report it.",
  },
  WORKER_ACTION_TIMED_OUT: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message: "The worker '{worker}' was not done with '{what}' in time.\nIt will be tried again.",
  },
  RECORD_CONFLICT: {
    blame: 'platform',
    retry: 'safe',
    http: 409,
    grpc: 10,
    exit: 1,
    message: "The {kind} '{id}' was changed by somebody else meanwhile.\nLook at it again, then try again.",
  },
  TENANT_QUOTA_EXCEEDED: {
    blame: 'user',
    retry: 'never',
    http: 429,
    grpc: 8,
    exit: 1,
    message:
      "The tenant '{tenantId}' has as many records of the kind {kind} as it may: {limit}.\nTake away what is not needed any more.",
  },
  TARGET_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "There is no compute target '{computeTarget}'; known are: {known}.\nName one of them in the manifest.",
  },
  TARGET_FAILED: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message: "The compute target '{computeTarget}' did not do '{what}' for '{serviceId}': {reason}.",
  },
  SERVICE_UNSPECIFIED: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "There is no service '{serviceId}'.\nApply a manifest that names it: switchyard apply -f switchyard.yaml.",
  },
  CONFIGURATION_NOT_APPLIED: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "Version {version} of the configuration '{configurationId}' did not arrive at {failed}: {reason}.\nIt will be tried again.",
  },
  SETTINGS_NOT_APPLIED: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "What runs of '{serviceId}' still has other values of {names}.\nSee why with switchyard logs {serviceId}; then set them again.",
  },
  SECRET_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "The secret '{secretBindingId}' has no value in the vault yet.\nIt gets one with its first rotation.",
  },
  SECRET_UNVERIFIED: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "The new credential of '{secretBindingId}' does not work: {reason}.\nThe old one stays in use, and it will be tried again.",
  },
  VAULT_UNREADABLE: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 15,
    exit: 1,
    message:
      "Version {version} of '{name}' in the vault does not open: it was changed, moved or sealed with another key.\nRestore the vault together with its key file.",
  },
  DESIRED_STATE_UNREADABLE: {
    blame: 'user',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "The desired state of the environment '{environmentId}' cannot be read from '{where}': {reason}.\nPut it right there, or give the environment another source.",
  },
  MANIFEST_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      "The manifest is not understood: {reason} at '{path}'.\nSee docs/control-plane.md for what a manifest holds.",
  },
});
