import { defineErrors } from '@switchyard/kernel';

/**
 * What goes wrong in the control plane. The first line of a message says what happened and why; the line after it, where
 * there is one, is the `fix` of the problem that a caller of the API sees.
 */
export const controlErrors = defineErrors({
  CATALOG_UNAVAILABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "The catalog '{file}' did not do what was asked: {reason}.\nNothing was changed. Try again; check that its disk has room and can be written.",
  },
  CATALOG_UNREADABLE: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message:
      "The catalog '{file}' cannot be read: {reason}.\nEnd what else has it open; where it is damaged, put a backup in its place, or move it away to begin with an empty one.",
  },
  CATALOG_NEWER: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 1,
    message:
      "The catalog '{file}' was written by a newer Switchyard: its format is {found}, and this one knows up to {known}.\nUpdate Switchyard, or choose another data directory.",
  },
  CATALOG_KEY_UNUSABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 1,
    message:
      "The key file '{file}' cannot be used: {reason}.\nGive it back to its owner alone, or restore it from a backup: without it the settings in the catalog cannot be read.",
  },
  CATALOG_KEY_FOREIGN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 1,
    message:
      "The key file '{file}' does not belong to the catalog '{catalog}': what is sealed there does not open.\nRestore the key file that was written together with the catalog.",
  },
  VAULT_KEY_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message:
      "There is no key of the vault at '{file}'.\nBring vault.key back from a backup or from the data folder of the installation, or name another place with --vault-key.",
  },
  VAULT_KEY_FOREIGN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message:
      "The key '{file}' is not the one of this store's vault: what is sealed there does not open.\nBring vault.key back from a backup or from the data folder of the installation, or name another place with --vault-key.",
  },
  SCALE_UNAVAILABLE: {
    blame: 'user',
    retry: 'never',
    http: 501,
    grpc: 12,
    exit: 1,
    message:
      'This installation has no scale controller, so there is nothing to scale or to roll out.\nStart it with one: switchyard up has it.',
  },
  ROLLOUT_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "App '{applicationId}' has no roll-out.\nStart one with POST /v1/apps/{applicationId}/rollout, or: switchyard rollout {applicationId} start VERSION",
  },
  APPLICATION_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "There is no app '{applicationId}'.\n`switchyard ps` (GET /v1/apps) lists those there are; `switchyard deploy` (PUT /v1/apps/{applicationId}) makes one.",
  },
  APPLICATION_INCOMPLETE: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The new app '{applicationId}' has no {missing}.\nGive it with the request that creates the app.",
  },
  APPLICATION_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The app '{applicationId}' cannot have the {key} '{value}'.\nIt must be {expected}.",
  },
  APPLICATION_TENANT_FIXED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The app '{applicationId}' cannot move to the tenant '{tenantId}': an app never changes its tenant.\nDeploy it there under another name.",
  },
  APPLICATION_NAME_TAKEN: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: 1,
    message: "The name '{applicationId}' is taken: names of apps are unique in the installation.\nChoose another name.",
  },
  HOST_NAME_TAKEN: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: 1,
    message:
      "The app '{applicationId}' cannot have the host name '{hostName}': another app has it.\nTake it from that app first, or choose another.",
  },
  REVISION_CONFLICT: {
    blame: 'user',
    retry: 'safe',
    http: 409,
    grpc: 10,
    exit: 1,
    message:
      "The {what} of the app '{applicationId}' were changed meanwhile: they have revision {current}, and the change was made for {expected}.\nRead them again and repeat the change.",
  },
  VERSION_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "The app '{applicationId}' has no version '{codeVersion}'.\nDeploy its package first; GET /v1/apps/{applicationId}/status lists the versions there are.",
  },
  VERSION_NOT_READY: {
    blame: 'user',
    retry: 'safe',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The version '{codeVersion}' of the app '{applicationId}' can have no traffic: it is {state}.\nWait until its deployment is ready, or deploy it again.",
  },
  VERSION_IN_USE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The version '{codeVersion}' of the app '{applicationId}' has {weight} % of the traffic.\nGive its traffic to another version first.",
  },
  VERSION_COLLISION: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: 1,
    message:
      "The app '{applicationId}' has a version '{codeVersion}' of another package: the hashes of both begin alike.\nChange any file of the app and deploy again.",
  },
  WEIGHTS_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "The weights of the app '{applicationId}' cannot be set: {reason}.\nGive each version a whole number of percent, once, 100 in all.",
  },
  ROLLBACK_TARGET_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The app '{applicationId}' cannot go back: no earlier version that had all the traffic is left.\nName one with 'to', or deploy one.",
  },
  SETTINGS_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "The settings of the app '{applicationId}' cannot be changed: {reason}.\nChange what is named there, and send all of it again.",
  },
  KEY_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "The key '{name}' of the app '{applicationId}' cannot be set: {reason}.\nChange what is named there, and send it again.",
  },
  DEPLOYMENT_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "The app '{applicationId}' has no deployment '{deploymentId}'.\nOld deployments are forgotten; GET /v1/apps/{applicationId}/deployments lists those there are.",
  },
  PACKAGE_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "There is no package '{sha256}'.\nUpload it with PUT /v1/packages/{sha256} first.",
  },
  PACKAGE_MISMATCH: {
    blame: 'user',
    retry: 'safe',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "The bytes of the package '{sha256}' have another hash: '{found}'.\nUpload it again, and check that the file did not change meanwhile.",
  },
  PACKAGE_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 1,
    message:
      "The package '{sha256}' is larger than {limitBytes} bytes.\nLeave out what the app does not need (.funcignore), or raise the limit of the installation.",
  },
  PACKAGE_DAMAGED: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 15,
    exit: 1,
    message:
      "The stored package '{sha256}' is damaged: its bytes have another hash.\nUpload it again; the damaged file was put aside.",
  },
  PACKAGE_NOT_STORED: {
    blame: 'dependency',
    retry: 'safe',
    http: 507,
    grpc: 8,
    exit: 1,
    message:
      "The package '{sha256}' could not be stored: {reason}.\nMake room on the disk of the data directory and check that it is writable.",
  },
  CONTROL_ROUTE_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 12,
    exit: 1,
    message: "There is no '{path}' here.\nGET /openapi.json lists what there is.",
  },
  CONTROL_METHOD_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 405,
    grpc: 12,
    exit: 1,
    message: "'{path}' does not take {method}.\nIt takes {allowed}.",
  },
  CONTROL_HOST_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 421,
    grpc: 7,
    exit: 1,
    message:
      "The control API does not answer to the host name '{host}'.\nAsk it as 127.0.0.1 or localhost, or add the name to its host names.",
  },
  CONTROL_ORIGIN_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message: "Pages of '{origin}' may not call the control API.\nAdd the origin to those that may, if it is yours.",
  },
  CONTROL_TOKEN_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 401,
    grpc: 16,
    exit: 1,
    message:
      "The token is not accepted: {reason}.\nSend a valid token of this installation as 'Authorization: Bearer <token>'.",
  },
  CONTROL_SCOPE_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message: "The token of '{subject}' may not do that: it lacks the scope '{scope}'.\nUse a token that has it.",
  },
  MANIFEST_PART_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message:
      "The token of '{subject}' may not apply what stands at '{path}': {reason}, and the token is one for single tenants.\nLeave it as it was, or have somebody apply it whose token is for all tenants.",
  },
  TENANT_QUOTA_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message:
      "The token of '{subject}' may not say what the tenant '{tenantId}' may have: it is one for single tenants.\nUse a token for all of them.",
  },
  CONTROL_TENANT_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message: "The token of '{subject}' does not cover the tenant '{tenantId}'.\nUse a token of that tenant.",
  },
  CONTROL_INPUT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The {where} is not right{at}: {reason}.\nGET /openapi.json says what it must be.',
  },
  CONTROL_BODY_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 1,
    message: 'The body is larger than {limitBytes} bytes.\nSend less at once.',
  },
  CONTROL_BODY_TYPE: {
    blame: 'user',
    retry: 'never',
    http: 415,
    grpc: 3,
    exit: 1,
    message: "A body of the type '{type}' is not understood here.\nSend it as {expected}.",
  },
  CONTROL_BODY_SLOW: {
    blame: 'user',
    retry: 'safe',
    http: 408,
    grpc: 4,
    exit: 1,
    message: 'The body did not arrive: nothing came for {limitMs} ms.\nTry again over a better connection.',
  },
  CONTROL_TIMED_OUT: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message:
      'The platform did not answer within {limitMs} ms.\nTry again; GET /v1/apps/{app}/status may tell what it waits for.',
  },
  CONTROL_TOO_MANY_STREAMS: {
    blame: 'user',
    retry: { afterMs: 5_000 },
    http: 503,
    grpc: 8,
    exit: 1,
    message: 'There are {limit} streams of events open already.\nClose some of them.',
  },
  CONTROL_DRAINING: {
    blame: 'platform',
    retry: { afterMs: 2_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The control API is shutting down.\nTry again in a moment.',
  },
  CONTROL_UNEXPECTED: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message:
      "The request failed for a reason that nobody thought of.\nThe log of the platform has the details under '{requestId}'; please report it.",
  },
});
