/** Gives a worker a new token for one that still holds: the same grant, a new time. */
import type { Secret } from '@switchyard/kernel';
import type { PlaceholderGrant, WorkerGrant } from '../claims/token-claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenIssuer } from './token-issuer.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface TokenRenewalDeps {
  /** One for the audience `functions-runtime`. */
  readonly verifier: TokenVerifier;
  readonly issuer: Pick<TokenIssuer, 'worker' | 'placeholder'>;
  /**
   * Whether the worker is still wanted. A token that was stolen could be renewed for ever otherwise, so whoever starts and
   * ends workers answers this.
   */
  readonly mayRenew: (grant: WorkerGrant | PlaceholderGrant) => boolean | Promise<boolean>;
}

export type TokenRenewal = { readonly kind: 'renewed'; readonly token: Secret } | Refusal;

/** Makes the exchange. It rejects with what the issuer rejects with. */
export function createTokenRenewal(deps: TokenRenewalDeps): (token: string | undefined) => Promise<TokenRenewal> {
  return async (token) => {
    const verdict = await deps.verifier.verify(token);
    if (verdict.kind === 'refused') return verdict;
    const { claims } = verdict;
    if (claims.kind !== 'worker' && claims.kind !== 'placeholder') {
      return refuse('TOKEN_KIND', { kind: claims.kind, expected: "a worker's token" });
    }
    if (!(await deps.mayRenew(claims))) return refuse('TOKEN_UNWANTED', { workerId: claims.workerId });
    const { workerId, language, languageVersion, instanceId } = claims;
    const worker = { workerId, language, languageVersion, instanceId };
    const renewed =
      claims.kind === 'placeholder'
        ? deps.issuer.placeholder(worker)
        : deps.issuer.worker({ ...worker, tenantId: claims.tenantId, application: claims.application });
    return { kind: 'renewed', token: await renewed };
  };
}
