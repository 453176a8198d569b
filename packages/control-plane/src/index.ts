/** The control plane: the catalog of apps, their packages, and the API that people and tools reach them by. */
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
  TrafficReason,
  TrafficState,
  Version,
  VersionStatus,
  Versions,
  WriteOutcome,
} from './catalog/contract.ts';
export { controlErrors } from './errors.ts';
export { decodeIndex, encodeIndex, type FunctionListing } from './metadata-version/function-index.ts';
export { computeMetadataVersion, type MetadataVersionInput } from './metadata-version/metadata-version.ts';
export { collectPackages } from './package-store/collect-packages.ts';
export type { OpenPackage, PackageStore, PutPackageOutcome } from './package-store/contract.ts';
export { createPackageStore, type PackageStoreDeps, type PackageStoreOptions } from './package-store/package-store.ts';
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
export { createOpenApiDocument } from './server/openapi.ts';
