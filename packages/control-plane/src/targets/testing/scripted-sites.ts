/** App Service behind the scripted resource manager, with what its sites answer. */
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import type { ArmAnswer, ArmProvider, ArmRequest } from './scripted-arm.ts';

interface StoredPlace {
  configuration: Readonly<Record<string, unknown>>;
  settings: Readonly<Record<string, string>>;
}

interface StoredSite {
  readonly body: Readonly<Record<string, unknown>> & { readonly tags?: Readonly<Record<string, string>> };
  readonly places: Map<string, StoredPlace>;
}

const base =
  /^\/subscriptions\/sub\/resourceGroups\/shops\/providers\/Microsoft\.Web\/sites(?:\/([a-z0-9-]+))?(\/.*)?$/;

/** Parts of a configuration that stay with their slot in a swap. */
const sticky = ['experiments'] as const;

export class ScriptedSites {
  readonly sites = new Map<string, StoredSite>();
  /** Versions whose sites do not answer. */
  readonly silent = new Set<string>();
  changes = 0;

  readonly provider: ArmProvider = (request) => {
    const found = base.exec(request.path);
    if (found === null) return undefined;
    const [, name, rest = ''] = found;
    if (name === undefined) return ok({ value: [...this.sites.keys()].map((one) => this.#show(one, 'production')) });
    const [, slot = 'production', tail = ''] = /^(?:\/slots\/([a-z]+))?(\/.*)?$/.exec(rest) ?? [];
    if (tail === '/slotsswap') return this.#swap(name, request.body as { readonly targetSlot: string });
    return this.#answer({ name, slot, tail }, request);
  };

  /** What sites say to whoever asks them. */
  readonly probe: HttpExchange = async ({ url }) => {
    const [label = ''] = new URL(url).hostname.split('.');
    for (const [name, { places }] of this.sites) {
      for (const [slot, place] of places) {
        if (label !== (slot === 'production' ? name : `${name}-${slot}`)) continue;
        const version = versionOf(place);
        return { status: this.silent.has(version) ? 503 : 200, text: '' };
      }
    }
    throw new Error(`getaddrinfo ENOTFOUND ${label}`);
  };

  place(name: string, slot: string): StoredPlace | undefined {
    return this.sites.get(name)?.places.get(slot);
  }

  #answer(
    { name, slot, tail }: { readonly name: string; readonly slot: string; readonly tail: string },
    { method, body }: ArmRequest,
  ): ArmAnswer | undefined {
    if (tail === '' && method === 'PUT') return this.#put(name, slot, body as StoredSite['body']);
    const place = this.place(name, slot);
    if (place === undefined) return undefined;
    if (tail === '' && method === 'GET') return ok(this.#show(name, slot));
    if (tail === '' && method === 'DELETE') {
      if (slot === 'production') this.sites.delete(name);
      else this.sites.get(name)?.places.delete(slot);
      return this.#changed({});
    }
    if (tail === '/config/web' && method === 'GET') return ok({ properties: place.configuration });
    if (tail === '/config/web') {
      const { properties } = body as { readonly properties: StoredPlace['configuration'] };
      place.configuration = { ...place.configuration, ...properties };
      return this.#changed({ properties: place.configuration });
    }
    if (tail === '/config/appsettings/list') return ok({ properties: place.settings });
    if (tail === '/config/appsettings') {
      place.settings = (body as { readonly properties: StoredPlace['settings'] }).properties;
      return this.#changed({ properties: place.settings });
    }
    if (tail === '/restart') return this.#changed(undefined);
    return tail === '/instances' ? ok({ value: [{ name: 'one' }] }) : undefined;
  }

  #put(name: string, slot: string, body: StoredSite['body']): ArmAnswer {
    if (name.length > 40)
      return { status: 400, body: { error: { code: 'BadRequest', message: `${name} is too long` } } };
    const site = this.sites.get(name) ?? { body, places: new Map() };
    this.sites.set(name, site);
    if (!site.places.has(slot)) site.places.set(slot, { configuration: {}, settings: {} });
    this.changes += 1;
    return { status: 202, body: this.#show(name, slot), isOperation: true };
  }

  #swap(name: string, { targetSlot }: { readonly targetSlot: string }): ArmAnswer | undefined {
    const places = this.sites.get(name)?.places;
    const [production, other] = [places?.get('production'), places?.get(targetSlot)];
    if (places === undefined || production === undefined || other === undefined) return undefined;
    places.set('production', stay(other, production));
    places.set(targetSlot, stay(production, other));
    this.changes += 1;
    return { status: 202, isOperation: true };
  }

  #changed(body: unknown): ArmAnswer {
    this.changes += 1;
    return ok(body);
  }

  #show(name: string, slot: string): object {
    const label = slot === 'production' ? name : `${name}-${slot}`;
    const { tags, location } = this.sites.get(name)?.body ?? {};
    const properties = { state: 'Running', defaultHostName: `${label}.example.net` };
    return { id: `/sites/${label}`, name: label, location, properties, ...(slot === 'production' ? { tags } : {}) };
  }
}

function versionOf({ configuration, settings }: StoredPlace): string {
  const { linuxFxVersion } = configuration;
  const image = typeof linuxFxVersion === 'string' ? linuxFxVersion.replace('DOCKER|', '') : '';
  return image === '' ? (settings.WEBSITE_RUN_FROM_PACKAGE ?? '') : image;
}

/** What comes to a place, with what stays there. */
function stay(coming: StoredPlace, present: StoredPlace): StoredPlace {
  const kept = Object.fromEntries(sticky.map((name) => [name, present.configuration[name]]));
  return { configuration: { ...coming.configuration, ...kept }, settings: coming.settings };
}

function ok(body: unknown): ArmAnswer {
  return { status: 200, body };
}
