/** The control plane: the catalog of apps, their packages, and the API that people and tools reach them by. */
export { type ConsumerDeps, type ConsumerOptions, startConsumer } from './bus/consumer.ts';
export type {
  Bus,
  Consumer,
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetters,
  Delivery,
  EventFilter,
  EventHandler,
  FailedDelivery,
  FailureNote,
  HandlerVerdict,
  InboxEraser,
  Publication,
  PublishOutcome,
  Receiver,
  ReplayOutcome,
  SubscriptionDepth,
  SubscriptionSpec,
} from './bus/contract.ts';
export { busErrors } from './bus/errors.ts';
export { type BusChoice, type BusDeps, openBus } from './bus/open-bus.ts';
export { openSqliteBus, type SqliteBusDeps, type SqliteBusOptions } from './bus/sqlite/sqlite-bus.ts';
export { type CatalogDeps, type CatalogOptions, createCatalog } from './catalog/catalog.ts';
export type {
  Application,
  ApplicationChange,
  ApplicationKey,
  Applications,
  Catalog,
  DeploymentRecord,
  DeploymentRequest,
  Deployments,
  IndexedVersion,
  KeyLevels,
  Keys,
  PackageGrants,
  Settings,
  SettingsChange,
  SettingsState,
  StepRecord,
  Tenants,
  Traffic,
  TrafficChange,
  TrafficReason,
  TrafficState,
  Version,
  VersionStatus,
  Versions,
  WriteOutcome,
} from './catalog/contract.ts';
export { openKeyFile } from './catalog/seal.ts';
export { type Asker, type DeployRequest, DomainCommands } from './domain/commands.ts';
export { createDefaultEnvironment, defaultEnvironmentId } from './domain/default-environment.ts';
export { domainErrors } from './domain/errors.ts';
export { createLooseService } from './domain/loose-service.ts';
export { controlErrors } from './errors.ts';
export type { DomainState, DomainView, Span } from './frame/contract.ts';
export { workerErrors } from './frame/errors.ts';
export { controlTopic, createStoreState, subscriptionOf } from './frame/store-state.ts';
export { workerTable } from './frame/worker-table.ts';
export { decodeIndex, encodeIndex, type FunctionListing } from './metadata-version/function-index.ts';
export { computeMetadataVersion, type MetadataVersionInput } from './metadata-version/metadata-version.ts';
export { collectPackages } from './package-store/collect-packages.ts';
export type { OpenPackage, PackageStore, PutPackageOutcome } from './package-store/contract.ts';
export { createPackageStore, type PackageStoreDeps, type PackageStoreOptions } from './package-store/package-store.ts';
export { type AppRequestsDeps, createAppRequests } from './requests/app-requests.ts';
export type { AppRequests, TrafficRequest } from './requests/contract.ts';
export type {
  Admission,
  ControlGuard,
  ControlServer,
  ControlServerDeps,
  ControlServerOptions,
  ControlVerdict,
  LogsOptions,
  PlatformOperations,
  PlatformStatus,
  PublicKeySet,
} from './server/contract.ts';
export { createControlServer } from './server/control-server.ts';
export type { DomainApi } from './server/domain-api.ts';
export { createOpenApiDocument } from './server/openapi.ts';
export type { RolloutAsker, ScaleOperations } from './server/scale-contract.ts';
export type {
  AuditDraft,
  AuditEntry,
  AuditQuery,
  Commit,
  CommitOutcome,
  DocumentQuery,
  DocumentWrite,
  EventQuery,
  Lease,
  OutboxEvent,
  OutboxRecord,
  Quotas,
  RetentionPolicy,
  Store,
  StoredDocument,
  SweepCounts,
} from './store/contract.ts';
export { storeErrors } from './store/errors.ts';
export { documentRetentionMs, retentionDefaults } from './store/limits.ts';
export { openStore, type StoreChoice, type StoreOptions } from './store/open-store.ts';
export {
  type OutboxRelay,
  type OutboxRelayDeps,
  type OutboxRelayOptions,
  startOutboxRelay,
} from './store/outbox-relay.ts';
export {
  type RetentionSweeper,
  type RetentionSweeperDeps,
  type RetentionSweeperOptions,
  startRetentionSweeper,
} from './store/retention-sweeper.ts';
export { openSqliteStore, type SqliteStoreDeps, type SqliteStoreOptions } from './store/sqlite/sqlite-store.ts';
export { createComputeTargets } from './targets/compute-targets.ts';
export type {
  ComputeTarget,
  ComputeTargets,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOrder,
  SettingsOutcome,
  SettingValues,
  TrafficOrder,
  VersionHealth,
} from './targets/contract.ts';
export { createPostgresqlUsers, type PostgresqlConnection } from './targets/postgresql/postgresql-users.ts';
export { createSplitVault } from './targets/split-vault.ts';
export { createStoreVault } from './targets/store-vault.ts';
export type { Vault } from './targets/vault.ts';
export { openVaultKey } from './targets/vault-key.ts';
export { type AlertSink, createLogSink, createWebhookSink } from './workers/alerts/alert-sinks.ts';
export {
  type ControlPlane,
  type ControlPlaneDeps,
  type ControlPlaneOptions,
  startControlPlane,
} from './workers/control-plane.ts';
export { parseManifest } from './workers/drift/parse-manifest.ts';
export { createDesiredStateReader, type GitFile } from './workers/drift/read-desired-state.ts';
export type { ProbeKinds, ProbeVerdict } from './workers/health/probe-runner.ts';
export type { Telemetry } from './workers/scaling/scaling-worker.ts';
export { createTelemetryByTarget } from './workers/scaling/telemetry-by-target.ts';
export { generatedTarget } from './workers/secrets/rotation-target.ts';
