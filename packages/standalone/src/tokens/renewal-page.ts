/** Where workers exchange a token that still holds for its successor: `POST` with the old one, answered by the new one. */
import type { RequestListener } from 'node:http';
import {
  audiences,
  createTokenRenewal,
  createTokenVerifier,
  type KeySource,
  type TokenIssuer,
} from '@switchyard/identity';
import { systemClock } from '@switchyard/kernel';
import { readBearerToken } from '@switchyard/protocol';
import { workerTokenPath } from '@switchyard/protocol/control-api';
import type { Runtime } from '@switchyard/runtime';
import { isWanted } from './wanted-workers.ts';

export interface RenewalPageDeps {
  readonly keys: KeySource;
  readonly issuer: Pick<TokenIssuer, 'worker' | 'placeholder'>;
  readonly runtime: Pick<Runtime, 'status' | 'placeholders'>;
  /** Takes every other request. */
  readonly next: RequestListener;
}

/** Answers the path of tokens. A worker that this Runtime does not have, or no longer wants, gets none. */
export function createRenewalPage({ keys, issuer, runtime, next }: RenewalPageDeps): RequestListener {
  const renew = createTokenRenewal({
    verifier: createTokenVerifier({ clock: systemClock, keys }, { audience: audiences.runtime }),
    issuer,
    mayRenew: (grant) => isWanted(grant, { jobHosts: runtime.status(), placeholders: runtime.placeholders() }),
  });
  return (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== workerTokenPath) {
      next(request, response);
      return;
    }
    // Nothing that is sent along is read.
    request.resume();
    const answer = (status: number, body: Readonly<Record<string, string>>): void => {
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      response.writeHead(status, headers).end(JSON.stringify(body));
    };
    if (request.method !== 'POST') {
      answer(405, { code: 'METHOD_REFUSED', message: `${workerTokenPath} takes POST only.` });
      return;
    }
    const { authorization } = request.headers;
    const shown = authorization && readBearerToken(new Map([['authorization', authorization]]));
    renew(shown).then(
      (renewal) => {
        if (renewal.kind === 'renewed') answer(200, { token: renewal.token.reveal() });
        else answer(renewal.http, { code: renewal.code, message: renewal.reason });
      },
      () => answer(503, { code: 'UNAVAILABLE', message: 'No token can be made now. Try again.' }),
    );
  };
}
