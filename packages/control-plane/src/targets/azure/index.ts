/** What reaches into Azure. Nothing here loads an SDK before it is called. */
export {
  type ArmScope,
  openContainerApps,
} from './container-apps/open-container-apps.ts';
export { type KeyVaultOptions, openKeyVault, openSecretReferences } from './key-vault/open-key-vault.ts';
export type { ReadReference } from './key-vault/secret-references.ts';
export { type MonitorDeps, type MonitorOptions, openMonitor } from './monitor/open-monitor.ts';
export { type AzureAccess, openAzureCredential } from './sdk/azure-access.ts';
export { openSites, type SitesOptions } from './sites/open-sites.ts';
