import { createHash } from 'node:crypto';
import type { FunctionKeys } from '@switchyard/runtime';

/** What a key opens. */
export interface KeyGrant {
  readonly key: string;
  readonly level: 'function' | 'system' | 'admin';
  readonly name: string;
  /** The function that it opens; undefined means all of them. */
  readonly functionName?: string | undefined;
}

type Grant = Omit<KeyGrant, 'key'>;

/** The keys of one app, ready to be asked. */
export interface KeyRing extends FunctionKeys {
  /** These keys, and no others, open something from now on. */
  replace(grants: readonly KeyGrant[]): void;
  nameOf(key: string, functionName: string): string | undefined;
}

/**
 * Holds hashes only: looking a key up by its hash takes the same time for a near miss as for a far one, so timing tells
 * nothing about the keys. Function names are compared without regard to case, as the host does.
 */
export function createKeyRing(given: readonly KeyGrant[] = []): KeyRing {
  let grants = byHash(given);
  /** The grant that counts: that of the highest level. */
  const find = (key: string, functionName: string): Grant | undefined => {
    const name = functionName.toLowerCase();
    const matching = (grants.get(hashOf(key)) ?? []).filter(
      (grant) => grant.functionName === undefined || grant.functionName === name,
    );
    return matching.find((grant) => grant.level === 'admin') ?? matching[0];
  };
  return {
    replace(next) {
      grants = byHash(next);
    },
    levelOf: (key, functionName) => find(key, functionName)?.level,
    nameOf: (key, functionName) => find(key, functionName)?.name,
  };
}

function byHash(grants: readonly KeyGrant[]): ReadonlyMap<string, readonly Grant[]> {
  const ring = new Map<string, Grant[]>();
  for (const { key, level, name, functionName } of grants) {
    const hash = hashOf(key);
    ring.set(hash, [...(ring.get(hash) ?? []), { level, name, functionName: functionName?.toLowerCase() }]);
  }
  return ring;
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}
