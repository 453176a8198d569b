import { type CapabilityTarget, isCapabilityError } from '@switchyard/capabilities';
import { isPlatformError, messageOf, PlatformError } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { Lease } from '../leases/lease-table.ts';
import type { CapabilityManifest } from '../registry/capability-manifest.ts';
import type { ParsedAcquire } from './parse-acquire.ts';

/** One acquired capability, inside the broker. */
export interface Grant {
  readonly lease: Lease;
  readonly manifest: CapabilityManifest;
  readonly shard: string;
  readonly fallback: boolean;
  readonly target: CapabilityTarget;
  readonly direct: { readonly address: string; readonly ticket: string } | undefined;
}

/** What an acquire came to. */
export interface AcquireOutcome {
  readonly success: boolean;
  readonly grants: readonly Grant[];
  readonly failures: ReadonlyMap<string, PlatformError>;
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/** Every required capability, and the optional ones that were to be had. */
export function answer(grants: readonly Grant[], failures: ReadonlyMap<string, PlatformError>): AcquireOutcome {
  const warnings = grants
    .filter((grant) => grant.fallback)
    .map((grant) => `'${grant.manifest.name}' is on ${grant.shard}, because the account's own shard takes nobody now`);
  return { success: true, grants, failures, missing: [...failures.keys()], warnings };
}

/** Nothing is acquired; every name says why, also those that failed only because another did. */
export function refusal(request: ParsedAcquire, failures: ReadonlyMap<string, PlatformError>): AcquireOutcome {
  const missing = [...request.required, ...request.optional];
  return { success: false, grants: [], failures, missing, warnings: [] };
}

/** Why a capability cannot be had whose own host would be fine. */
export function dependencyMissing(name: string, dependency: string, cause: PlatformError): PlatformError {
  const details = { name, dependency, reason: cause.message };
  return capabilityErrors.create('DEPENDENCY_MISSING', details, cause);
}

/** Why no shard takes the account. */
export function noShard(
  { name }: CapabilityManifest,
  reason: 'all-busy' | 'all-cold' | 'all-closed',
  holdMs: number,
): PlatformError {
  switch (reason) {
    case 'all-busy':
      return capabilityErrors.create('RESOURCE_EXHAUSTED', {
        what: `'${name}'`,
        limit: 'its shards',
        reason: 'all of them are full',
      });
    case 'all-cold':
      return capabilityErrors.create('SHARD_UNAVAILABLE', {
        shard: name,
        reason: 'it is not loaded, and the request allows no cold start',
      });
    case 'all-closed':
      return capabilityErrors.create('CIRCUIT_OPEN', { shard: name, holdMs });
  }
}

/** Any failure as one that an answer can carry. */
export function toPlatformError(error: unknown): PlatformError {
  if (isPlatformError(error)) return error;
  // What a host in another process or thread says arrives as its code and text.
  if (isCapabilityError(error) && isOurs(error.code)) {
    const definition = { ...capabilityErrors.definitions[error.code], message: '{reason}' };
    return new PlatformError(error.code, definition, { reason: error.message }, error);
  }
  return capabilityErrors.create('SHARD_UNAVAILABLE', { shard: 'its host', reason: messageOf(error) }, error);
}

function isOurs(code: string): code is keyof typeof capabilityErrors.definitions {
  return Object.hasOwn(capabilityErrors.definitions, code);
}
