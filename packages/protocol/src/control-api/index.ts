/** The control API: paths, schemas, types, events. A subpath of its own, so that what speaks no HTTP loads no zod. */

export {
  type ControlEvent,
  eventStreamType,
  formatEvent,
  heartbeatText,
  readEvents,
} from '../event-stream/event-stream.ts';
export {
  type ApplicationList,
  type ApplicationState,
  type ApplicationView,
  applicationListSchema,
  applicationSchema,
  applicationStateSchema,
  type ListApplicationsQuery,
  type PutApplication,
  putApplicationSchema,
} from './applications.ts';
export { type ControlScope, controlScopes } from './control-scopes.ts';
export {
  type CreateDeployment,
  createDeploymentSchema,
  type Deployment,
  type DeploymentList,
  type DeploymentStarted,
  type DeploymentState,
  type DeploymentStep,
  type DeploymentStepName,
  deploymentListSchema,
  deploymentSchema,
  deploymentStartedSchema,
  deploymentStepNameSchema,
  deploymentStepSchema,
} from './deployments.ts';
export * from './domain/index.ts';
export {
  type JoinAnswer,
  type JoinRequest,
  joinAnswerSchema,
  joinRequestSchema,
  type RuntimeList,
  type RuntimeView,
  regionSchema,
  runtimeListSchema,
} from './fleet.ts';
export { type InvokeAnswer, type InvokeRequest, invokeAnswerSchema, invokeRequestSchema } from './invocation.ts';
export {
  applicationIdSchema,
  codeVersionSchema,
  functionNameSchema,
  hostNameSchema,
  packageHashSchema,
  type StackRequest,
  tenantIdSchema,
  toCodeVersion,
} from './names.ts';
export {
  type DebugAnswer,
  type DebugRequest,
  type Dropped,
  debugAnswerSchema,
  debugRequestSchema,
  droppedSchema,
  type LogLine,
  type LogsQuery,
  logLineSchema,
  type TraceFrame,
  type TraceQuery,
  traceFrameSchema,
} from './observation.ts';
export {
  type ControlAnswer,
  type ControlOperation,
  type ControlOperationId,
  controlAudience,
  controlOperations,
  type PathParametersOf,
  pathParameters,
  toControlPath,
} from './operations.ts';
export { packageType, type StoredPackage, storedPackageSchema } from './packages.ts';
export { type Problem, problemSchema, problemType } from './problem.ts';
export { hostedAppSchema, restartWishSchema, runtimePaths, workerTokenPath } from './runtime-process.ts';
export {
  type AppScaleView,
  appScaleSchema,
  type PutScale,
  putScaleSchema,
  putTenantQuotaSchema,
  type ScaleVersionView,
  type ScaleView,
  scaleSchema,
  type TenantQuota,
  type TenantQuotaView,
  tenantQuotaSchema,
  tenantQuotaViewSchema,
} from './scale.ts';
export {
  type ChangeRollout,
  changeRolloutSchema,
  type RolloutAnswer,
  type RolloutStepView,
  rolloutSchema,
  type StartRollout,
  startRolloutSchema,
} from './scale-rollout.ts';
export { type Health, healthSchema, type PublicKeys, publicKeysSchema } from './service.ts';
export {
  type KeyKind,
  type KeysView,
  type KeyView,
  keysSchema,
  maskedValue,
  type PatchSettings,
  patchSettingsSchema,
  type SettingsView,
  settingLimits,
  settingNameSchema,
  settingsSchema,
} from './settings.ts';
export {
  type FunctionView,
  type StatusView,
  statusSchema,
  type VersionState,
  type VersionView,
  type WorkerView,
} from './status.ts';
export {
  type Rollback,
  rollbackSchema,
  type SetTraffic,
  setTrafficSchema,
  type TrafficView,
  trafficSchema,
  type Weight,
  weightsSchema,
} from './traffic.ts';
export { type WorkerName, workerNames } from './worker-names.ts';
