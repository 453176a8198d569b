import { defineErrors } from '@switchyard/kernel';

/** What goes wrong where the control plane meets the platform that it runs in. */
export const targetErrors = defineErrors({
  POSTGRESQL_CONNECTION_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      'The variable {variable} holds no connection string of PostgreSQL.\nWrite one of an administrator, such as postgresql://admin:<password>@db:5432/shop.',
  },
  TARGET_SETTING_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      'The variable {variable} cannot be used: {reason}.\nSee docs/control-plane.md for what configures compute targets and vaults.',
  },
  TARGET_FRONT_UNAVAILABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      'The services on node agents cannot be reached at {address}: {reason}.\nChoose another port with SWITCHYARD_TARGET_NODE_AGENT_LISTEN_PORT.',
  },
  TARGET_UNSETTLED: {
    blame: 'platform',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "The app '{serviceId}' did not come to what the catalog wants: {reason}.\nIt is tried again; see switchyard logs {serviceId}.",
  },
  TARGET_APP_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "The tenant '{tenantId}' has no app '{serviceId}' here.\nUpload it first: switchyard deploy <folder> --app {serviceId} --tenant {tenantId}.",
  },
  ROLL_OUT_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The version {codeVersion} of '{applicationId}' was not put into service: {reason}.\nThe version before has the traffic. See switchyard get deployments --service {applicationId}.",
  },
  GIT_UNUSABLE: {
    blame: 'user',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "git did not answer for '{repository}': {reason}.\nLook whether the repository, the ref and the file are there.",
  },
});
