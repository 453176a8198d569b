/** Guards the control API: who calls, which tenants it may touch, and what it may do. */
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';
import { tokenOf } from './bearer.ts';

export type ControlVerdict =
  | {
      readonly kind: 'accepted';
      readonly subject: string;
      /** `*` for all. */
      readonly tenants: '*' | readonly string[];
      readonly scopes: readonly string[];
    }
  | {
      readonly kind: 'refused';
      /** 503 when the keys cannot be had now. */
      readonly status: 401 | 403 | 503;
      readonly code: string;
      readonly reason: string;
    };

/** Makes the guard; `verifier` must be one for the audience `switchyard-control`. It answers for the header's value. */
export function createControlGuard(
  verifier: TokenVerifier,
): (authorizationHeader: string | undefined) => Promise<ControlVerdict> {
  return async (authorizationHeader) => {
    const verdict = await verifier.verify(tokenOf(authorizationHeader));
    if (verdict.kind === 'refused') return toControlVerdict(verdict);
    const { claims } = verdict;
    if (claims.kind !== 'control') {
      return toControlVerdict(refuse('TOKEN_KIND', { kind: claims.kind, expected: 'one for the control API' }));
    }
    return { kind: 'accepted', subject: claims.subject, tenants: claims.tenants, scopes: claims.scopes };
  };
}

function toControlVerdict({ code, http, reason }: Refusal): ControlVerdict {
  return { kind: 'refused', status: http === 403 || http === 503 ? http : 401, code, reason };
}
