/** What reaches into Azure. Nothing here loads an SDK before it is called. */
export {
  type ArmScope,
  openContainerApps,
} from './container-apps/open-container-apps.ts';
export { type AzureAccess, openAzureCredential } from './sdk/azure-access.ts';
export { openSites, type SitesOptions } from './sites/open-sites.ts';
