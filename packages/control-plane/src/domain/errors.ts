import { defineErrors } from '@switchyard/kernel';

/** What is wrong with what is asked of the control plane. */
export const domainErrors = defineErrors({
  RECORD_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "There is no {kind} '{id}'.\n`switchyard get` (GET /v1/runtime/records) lists what there is; `switchyard apply` brings what a manifest names.",
  },
  CONTROL_PLANE_OFF: {
    blame: 'user',
    retry: 'never',
    http: 501,
    grpc: 12,
    exit: 1,
    message: 'No control plane runs here.\nStart the platform with one: switchyard up.',
  },
  ENVIRONMENT_FIXED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The {what} of the environment '{environmentId}' is '{before}' and never changes.\nMake another environment for another one.",
  },
  SERVICE_ELSEWHERE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "'{serviceId}' belongs to the environment '{environmentId}' already.\nGive it another name here, or take it out there first.",
  },
  CHANGE_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The {what} of '{serviceId}' did not take effect: {reason}.\nWhat runs has what it had before. See switchyard get {collection} --service {serviceId}.",
  },
  CHANGE_UNDER_WAY: {
    blame: 'platform',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message:
      "The {what} of '{serviceId}' is asked for and not in effect after {seconds} seconds; it goes on.\nWatch it with switchyard get {collection} --service {serviceId}.",
  },
  DEPLOYMENT_NOTHING_BEFORE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message: "Nothing was in service before the present version of '{serviceId}'.\nDeploy the version that you want.",
  },
});
