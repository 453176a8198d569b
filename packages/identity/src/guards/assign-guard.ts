/**
 * Guards `POST /assign` of one pod: a token of the scale controller, made for this pod, counts once.
 *
 * I1 Only a token with the scope `assign` for this pod is accepted.
 * I2 A token is accepted at most once, also when it comes twice at the same time.
 * I3 What is remembered is bounded: a used token is forgotten when it has ended, and when too many still hold, nobody is
 *    let in.
 */
import type { Clock } from '@switchyard/kernel';
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';
import { tokenOf } from './bearer.ts';

export type AssignVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly reason: string };

export interface AssignGuardDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** One for the audience `functions-sidecar`. */
  readonly verifier: TokenVerifier;
}

export interface AssignGuardOptions {
  readonly podId: string;
  /** Used tokens that are remembered at a time; 1,000 unless named. They hold a minute, so this is generous. */
  readonly maxRemembered?: number;
}

const defaultMaxRemembered = 1_000;

/** Makes the guard; it answers for the value of the `authorization` header. */
export function createAssignGuard(
  { clock, verifier }: AssignGuardDeps,
  { podId, maxRemembered = defaultMaxRemembered }: AssignGuardOptions,
): (authorization: string | undefined) => Promise<AssignVerdict> {
  /** When each used token ends. */
  const used = new Map<string, number>();

  const use = (tokenId: string, endsAtMs: number): Refusal | undefined => {
    const nowMs = clock.now();
    if (used.size >= maxRemembered) for (const [id, endMs] of used) if (nowMs >= endMs) used.delete(id);
    if (used.has(tokenId)) return refuse('TOKEN_REPLAYED');
    if (used.size >= maxRemembered) return refuse('TOKEN_MEMORY_FULL', { count: used.size });
    used.set(tokenId, endsAtMs);
    return undefined;
  };

  return async (authorization) => {
    const verdict = await verifier.verify(tokenOf(authorization));
    if (verdict.kind === 'refused') return toAssignVerdict(verdict);
    const { claims } = verdict;
    if (claims.kind !== 'assign') {
      return toAssignVerdict(refuse('TOKEN_KIND', { kind: claims.kind, expected: "one with the scope 'assign'" }));
    }
    if (claims.podId !== podId) {
      return toAssignVerdict(refuse('TOKEN_FOREIGN', { what: 'pod', granted: claims.podId, claimed: podId }));
    }
    const refusal = use(claims.tokenId, claims.expiresAtMs + verifier.skewMs);
    return refusal ? toAssignVerdict(refusal) : { kind: 'accepted' };
  };
}

function toAssignVerdict({ http, reason }: Refusal): AssignVerdict {
  return { kind: 'refused', status: http === 403 ? 403 : 401, reason };
}
