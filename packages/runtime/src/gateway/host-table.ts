/**
 * Which app answers to which host name.
 *
 * Ownership: the JobHostManager writes it, the gateway reads it for every request, so answers are remembered by the
 * literal header.
 *
 * I1 An app answers to `<applicationId>.localhost` and to its own host names, whatever their case and port.
 * I2 While there is exactly one app, every host name, and none at all, is its own; not where names have to be exact.
 * I3 A header that is no host name never finds an app.
 * I4 What is remembered never outlives a change, and never grows past its limit.
 */
import { runtimeErrors } from '../errors.ts';

export type HostLookup<App> =
  | { readonly kind: 'found'; readonly app: App; readonly authority: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid' };

/** Headers whose answer is remembered. */
const maxRemembered = 1_000;

/** A registered name, an IPv4 or an IPv6 address, with or without a port (RFC 3986, section 3.2). */
const authorityPattern = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::\d{0,5})?$/i;

export interface HostTableOptions {
  /** An app answers to its own names alone, also while it is the only one. */
  readonly isExact?: boolean;
}

export class HostTable<App> {
  readonly #isExact: boolean;
  readonly #byName = new Map<string, { readonly applicationId: string; readonly app: App }>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #remembered = new Map<string, HostLookup<App>>();

  constructor({ isExact = false }: HostTableOptions = {}) {
    this.#isExact = isExact;
  }

  /** Lets the app answer to its names; a name of another app is an APPLICATION_CONFLICT. Replaces the app's old entry. */
  set(applicationId: string, hostNames: readonly string[], app: App): void {
    const names = [`${applicationId}.localhost`, ...hostNames].map((name) => name.toLowerCase());
    for (const hostName of names) {
      const other = this.#byName.get(hostName)?.applicationId;
      if (other !== undefined && other !== applicationId) {
        throw runtimeErrors.create('APPLICATION_CONFLICT', { applicationId, hostName, other });
      }
    }
    this.delete(applicationId);
    for (const name of names) this.#byName.set(name, { applicationId, app });
    this.#names.set(applicationId, names);
  }

  delete(applicationId: string): void {
    for (const name of this.#names.get(applicationId) ?? []) this.#byName.delete(name);
    this.#names.delete(applicationId);
    this.#remembered.clear();
  }

  /** Every app, once. */
  get all(): readonly App[] {
    return [...new Set([...this.#byName.values()].map(({ app }) => app))];
  }

  find(authority: string | undefined): HostLookup<App> {
    const key = authority ?? '';
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const lookup = this.#lookup(key);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(key, lookup);
    return lookup;
  }

  #lookup(authority: string): HostLookup<App> {
    if (authority !== '' && !authorityPattern.test(authority)) return { kind: 'invalid' };
    const name = authority.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
    const found = this.#byName.get(name) ?? this.#onlyApp();
    if (found === undefined) return { kind: 'unknown' };
    const shown = authority === '' ? `${found.applicationId}.localhost` : authority;
    return { kind: 'found', app: found.app, authority: shown };
  }

  #onlyApp(): { readonly applicationId: string; readonly app: App } | undefined {
    return this.#names.size === 1 && !this.#isExact ? this.#byName.values().next().value : undefined;
  }
}
