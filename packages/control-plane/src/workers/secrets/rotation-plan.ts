/** What a rotation has to do next. Pure. */
import type { SecretBinding, SecretRotation } from '@switchyard/protocol/control-api';
import { hashOf } from '../../domain/canonical.ts';

export type RotationAction =
  | { readonly kind: 'begin'; readonly version: number }
  /** Makes the credential that is not in use. */
  | { readonly kind: 'create'; readonly version: number }
  | { readonly kind: 'bind'; readonly version: number }
  | { readonly kind: 'verify'; readonly version: number }
  /** Takes away the credential that was in use before. */
  | { readonly kind: 'retire'; readonly version: number }
  | { readonly kind: 'wait'; readonly untilMs: number };

export function planRotation(
  binding: SecretBinding,
  rotation: SecretRotation | undefined,
  of: {
    readonly isRequested: boolean;
    /** Another secret of the tenant changes hands. */
    readonly isTenantBusy: boolean;
  },
  nowMs: number,
): RotationAction {
  if (rotation === undefined || rotation.state === 'idle') return planBegin(binding, rotation, of, nowMs);
  const version = rotation.pendingVersion ?? rotation.version + 1;
  switch (rotation.state) {
    case 'creating':
      return { kind: 'create', version };
    case 'binding':
      return { kind: 'bind', version };
    case 'verifying':
      return { kind: 'verify', version };
    case 'retiring': {
      const retireAt = rotation.retireAt ?? nowMs;
      return nowMs < retireAt ? { kind: 'wait', untilMs: retireAt } : { kind: 'retire', version: rotation.version - 1 };
    }
  }
}

function planBegin(
  binding: SecretBinding,
  rotation: SecretRotation | undefined,
  { isRequested, isTenantBusy }: { readonly isRequested: boolean; readonly isTenantBusy: boolean },
  nowMs: number,
): RotationAction {
  const dueMs = rotation === undefined ? nowMs : rotation.rotatedAt + binding.rotateEveryMs - earlinessOf(binding);
  if (!isRequested && nowMs < dueMs) return { kind: 'wait', untilMs: dueMs };
  // One at a time: when something goes wrong, it goes wrong with one.
  if (isTenantBusy) return { kind: 'wait', untilMs: nowMs + busyMs };
  return { kind: 'begin', version: (rotation?.version ?? 0) + 1 };
}

const busyMs = 10_000;

/** Up to a twentieth of the time earlier, always the same for one secret: not all rotate in the same second. */
function earlinessOf({ secretBindingId, rotateEveryMs }: SecretBinding): number {
  const share = Number.parseInt(hashOf(secretBindingId).slice(0, 8), 16) / 2 ** 32;
  return Math.floor((rotateEveryMs / 20) * share);
}

/** The two credentials take turns. */
export function credentialOf({ target }: SecretBinding, version: number): string {
  return target.credentials[(version + 1) % 2] ?? target.credentials[0];
}
