/** The calls of App Service that services need, alike for the production slot and the one beside it. */
import type { Site, SiteConfigResource, WebSiteManagementClient } from '@azure/arm-appservice';
import { askAzure } from '../sdk/azure-access.ts';

/** The slot in which the next version comes up, and in which the one before stands by. */
export const nextSlot = 'next';

export type Place = 'production' | typeof nextSlot;

export interface SiteClientOptions {
  readonly computeTarget: string;
  readonly resourceGroup: string;
  /** Between two looks at an operation. */
  readonly pollMs: number;
}

/** All methods reject with TARGET_REFUSED or TARGET_UNREACHABLE; what is not there is undefined. */
export class SiteClient {
  readonly #webApps: WebSiteManagementClient['webApps'];
  readonly #options: SiteClientOptions;

  constructor(client: Pick<WebSiteManagementClient, 'webApps'>, options: SiteClientOptions) {
    this.#webApps = client.webApps;
    this.#options = options;
  }

  async list(): Promise<readonly Site[]> {
    const found = await this.#ask('list sites', async () => {
      const sites: Site[] = [];
      for await (const site of this.#webApps.listByResourceGroup(this.#options.resourceGroup)) sites.push(site);
      return sites;
    });
    return found ?? [];
  }

  get(name: string, place: Place): Promise<Site | undefined> {
    const { resourceGroup } = this.#options;
    return this.#ask('look at a site', () =>
      place === 'production'
        ? this.#webApps.get(resourceGroup, name)
        : this.#webApps.getSlot(resourceGroup, name, place),
    );
  }

  async put(name: string, place: Place, site: Site): Promise<void> {
    const { resourceGroup, pollMs } = this.#options;
    const polling = { updateIntervalInMs: pollMs };
    await this.#ask('make a site', async () => {
      if (place === 'production') await this.#webApps.createOrUpdate(resourceGroup, name, site, polling);
      else await this.#webApps.createOrUpdateSlot(resourceGroup, name, place, site, polling);
    });
  }

  async remove(name: string, place: Place): Promise<void> {
    const { resourceGroup } = this.#options;
    await this.#ask('delete a site', () =>
      place === 'production'
        ? this.#webApps.delete(resourceGroup, name)
        : this.#webApps.deleteSlot(resourceGroup, name, place),
    );
  }

  configuration(name: string, place: Place): Promise<SiteConfigResource | undefined> {
    const { resourceGroup } = this.#options;
    return this.#ask('read the configuration of a site', () =>
      place === 'production'
        ? this.#webApps.getConfiguration(resourceGroup, name)
        : this.#webApps.getConfigurationSlot(resourceGroup, name, place),
    );
  }

  async configure(name: string, place: Place, change: SiteConfigResource): Promise<void> {
    const { resourceGroup } = this.#options;
    await this.#ask('configure a site', () =>
      place === 'production'
        ? this.#webApps.updateConfiguration(resourceGroup, name, change)
        : this.#webApps.updateConfigurationSlot(resourceGroup, name, place, change),
    );
  }

  async settings(name: string, place: Place): Promise<Readonly<Record<string, string>>> {
    const { resourceGroup } = this.#options;
    const found = await this.#ask('read the settings of a site', () =>
      place === 'production'
        ? this.#webApps.listApplicationSettings(resourceGroup, name)
        : this.#webApps.listApplicationSettingsSlot(resourceGroup, name, place),
    );
    return found?.properties ?? {};
  }

  /** Replaces all settings; the site starts anew by itself. */
  async putSettings(name: string, place: Place, properties: Readonly<Record<string, string>>): Promise<void> {
    const { resourceGroup } = this.#options;
    const body = { properties: { ...properties } };
    await this.#ask('set the settings of a site', () =>
      place === 'production'
        ? this.#webApps.updateApplicationSettings(resourceGroup, name, body)
        : this.#webApps.updateApplicationSettingsSlot(resourceGroup, name, place, body),
    );
  }

  async restart(name: string, place: Place): Promise<void> {
    const { resourceGroup } = this.#options;
    await this.#ask('restart a site', () =>
      place === 'production'
        ? this.#webApps.restart(resourceGroup, name)
        : this.#webApps.restartSlot(resourceGroup, name, place),
    );
  }

  /** What is in the next slot and what is in production change places. */
  async swap(name: string): Promise<void> {
    const { resourceGroup, pollMs } = this.#options;
    const entity = { targetSlot: nextSlot, preserveVnet: true };
    await this.#ask('swap the slots of a site', async () => {
      await this.#webApps.swapSlotWithProduction(resourceGroup, name, entity, { updateIntervalInMs: pollMs });
    });
  }

  async instances(name: string): Promise<number> {
    const found = await this.#ask('count the instances of a site', async () => {
      let count = 0;
      for await (const _ of this.#webApps.listInstanceIdentifiers(this.#options.resourceGroup, name)) count += 1;
      return count;
    });
    return found ?? 0;
  }

  #ask<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    return askAzure({ computeTarget: this.#options.computeTarget, what }, ask);
  }
}
