/** Certificates of sidecars that were told over a way that is trusted already, by the origins at which they are shown. */
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { systemClock } from '@switchyard/kernel';
import { createHttpExchange, type HttpExchange } from '@switchyard/protocol/http-exchange';
import { madeCertificateName } from '../sidecar/made-certificates.ts';
import type { PinnedCertificate } from './worker-http.ts';

/** Hears what is believed at a place from now on; undefined for nothing. */
export type PinObserver = (origin: string, certificate: string | undefined) => void;

export class PinnedCertificates {
  readonly #byOrigin = new Map<string, string>();
  readonly #observers = new Set<PinObserver>();

  /** From now on this certificate is believed there, and no other, until the answered function is called. */
  readonly trust = (origins: readonly string[], certificate: string): (() => void) => {
    for (const origin of origins) this.set(origin, certificate);
    return () => {
      for (const origin of origins) if (this.#byOrigin.get(origin) === certificate) this.set(origin, undefined);
    };
  };

  /** The same for one place; undefined believes none there any more. */
  set(origin: string, certificate: string | undefined): void {
    if (certificate === undefined) this.#byOrigin.delete(origin);
    else this.#byOrigin.set(origin, certificate);
    for (const observer of [...this.#observers]) observer(origin, certificate);
  }

  /** Calls back for every certificate that is believed, now and later. Returns the unsubscriber. */
  watch(observer: PinObserver): () => void {
    this.#observers.add(observer);
    for (const [origin, certificate] of this.#byOrigin) observer(origin, certificate);
    return () => this.#observers.delete(observer);
  }

  /** Whoever told of them is believed no more. */
  clear(): void {
    for (const origin of [...this.#byOrigin.keys()]) this.set(origin, undefined);
  }

  readonly at = (origin: string): PinnedCertificate | undefined => {
    const ca = this.#byOrigin.get(origin);
    return ca === undefined ? undefined : { ca, servername: madeCertificateName };
  };

  /** Asks with what is believed at each place; elsewhere by `authority`, or those whom everybody trusts. */
  exchange(authority: string | undefined): HttpExchange {
    const deps = { clock: systemClock, request, plainRequest };
    const anywhere = createHttpExchange(deps, authority === undefined ? {} : { ca: authority });
    return (asked) => {
      const pinned = this.at(new URL(asked.url).origin);
      if (pinned === undefined) return anywhere(asked);
      return createHttpExchange(deps, { ca: pinned.ca, serverName: pinned.servername })(asked);
    };
  }
}
