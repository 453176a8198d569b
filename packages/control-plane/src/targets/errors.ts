import { defineErrors } from '@switchyard/kernel';

/** What goes wrong at compute targets. */
export const computeErrors = defineErrors({
  SERVICE_FOREIGN: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 7,
    exit: 1,
    message:
      "The service '{serviceId}' at the compute target '{computeTarget}' is not one of the tenant '{tenantId}'.\nGive the service another name in the manifest.",
  },
  TARGET_UNREACHABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "The compute target '{computeTarget}' does not answer at {address}: {reason}.\nIt is tried again; look whether it runs, and whether the address is right.",
  },
  TARGET_REFUSED: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message: "The compute target '{computeTarget}' refused to {what} (status {status}): {reason}.\nIt is tried again.",
  },
  SDK_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 501,
    grpc: 12,
    exit: 2,
    message:
      "{purpose} needs the package '{package}', which is not installed.\nInstall it beside Switchyard: npm install {package}",
  },
  LIMIT_UNSUPPORTED: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: 1,
    message:
      "The compute target '{computeTarget}' cannot keep the limit '{limit}'.\nLeave it out of the limits and the scaling policy of the service.",
  },
  TARGET_NOT_SETTLED: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message:
      "The service '{serviceId}' at the compute target '{computeTarget}' did not come to what was asked of it within {limitMs} ms: {reason}.\nIt is tried again.",
  },
});
