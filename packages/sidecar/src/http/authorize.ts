/** Who may tell a sidecar what to become. */
import { messageOf, type PlatformError } from '@switchyard/kernel';
import { sidecarErrors } from '../sidecar/errors.ts';

/** Judges the `Authorization` header of a request that would change the worker: the scale controller's alone is good. */
export type AuthorizeAssign = (authorization: string | undefined) => Promise<AssignVerdict>;

export type AssignVerdict =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused';
      /** 401: nobody known; 403: known, and not allowed this. */
      readonly status: 401 | 403;
      readonly reason: string;
    };

/** Why the sender is turned away; undefined when it is welcome. Without a guard nobody is. */
export async function refusalOf(
  authorize: AuthorizeAssign | undefined,
  authorization: string | undefined,
): Promise<PlatformError | undefined> {
  if (authorize === undefined) {
    const reason = 'this sidecar was given nothing to check credentials with, so it takes no app from its port';
    return sidecarErrors.create('SIDECAR_UNAUTHORIZED', { reason });
  }
  try {
    const verdict = await authorize(authorization);
    if (verdict.kind === 'accepted') return undefined;
    const code = verdict.status === 401 ? 'SIDECAR_UNAUTHORIZED' : 'SIDECAR_FORBIDDEN';
    return sidecarErrors.create(code, { reason: verdict.reason });
  } catch (thrown) {
    return sidecarErrors.create('SIDECAR_UNVERIFIABLE', { reason: messageOf(thrown) }, thrown);
  }
}
