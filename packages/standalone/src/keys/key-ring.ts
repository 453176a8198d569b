import { createHash } from 'node:crypto';
import type { FunctionKeys } from '@switchyard/runtime';

/** Which level a key opens, and of which function; undefined means all of them. */
interface Grant {
  readonly level: 'function' | 'system' | 'admin';
  readonly functionName: string | undefined;
}

/** The keys of one app, ready to be asked. */
export interface KeyRing extends FunctionKeys {
  /** Adding a key again changes nothing. */
  add(key: string, level: Grant['level'], functionName?: string): void;
}

/**
 * Holds hashes only: looking a key up by its hash takes the same time for a near miss as for a far one, so timing tells
 * nothing about the keys. Function names are compared without regard to case, as the host does.
 */
export function createKeyRing(): KeyRing {
  const grants = new Map<string, Grant[]>();
  return {
    add(key, level, functionName) {
      const hash = hashOf(key);
      const name = functionName?.toLowerCase();
      const known = grants.get(hash) ?? [];
      if (known.some((grant) => grant.level === level && grant.functionName === name)) return;
      grants.set(hash, [...known, { level, functionName: name }]);
    },
    levelOf(key, functionName) {
      const name = functionName.toLowerCase();
      const matching = (grants.get(hashOf(key)) ?? []).filter(
        (grant) => grant.functionName === undefined || grant.functionName === name,
      );
      return (matching.find((grant) => grant.level === 'admin') ?? matching[0])?.level;
    },
  };
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}
