/** Certificates of sidecars that were told over a way that is trusted already, by the origins at which they are shown. */
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { systemClock } from '@switchyard/kernel';
import { createHttpExchange, type HttpExchange } from '@switchyard/protocol/http-exchange';
import { madeCertificateName } from '../sidecar/made-certificates.ts';
import type { PinnedCertificate } from './worker-http.ts';

export class PinnedCertificates {
  readonly #byOrigin = new Map<string, string>();

  /** From now on this certificate is believed there, and no other, until the answered function is called. */
  readonly trust = (origins: readonly string[], certificate: string): (() => void) => {
    for (const origin of origins) this.#byOrigin.set(origin, certificate);
    return () => {
      for (const origin of origins) if (this.#byOrigin.get(origin) === certificate) this.#byOrigin.delete(origin);
    };
  };

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
