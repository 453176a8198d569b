import type { FunctionKeys } from '../contract.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import { type Credentials, isAuthorized } from './authorize.ts';

/** `unknown`: the caller gets the same answer as if the function were not there. */
export type Access = 'allowed' | 'refused' | 'unknown';

/**
 * Whether a caller may run an HTTP function. A disabled one is there for administrators alone; where nobody needs a key it is
 * there for nobody.
 */
export function accessTo(
  { trigger, metadata, isDisabled }: Pick<FunctionEntry, 'trigger' | 'metadata' | 'isDisabled'>,
  keys: FunctionKeys | undefined,
  credentials: Credentials,
): Access {
  if (trigger.kind !== 'route') return 'unknown';
  const { authLevel } = trigger.options;
  if (!isDisabled) return isAuthorized(keys, authLevel, metadata.name, credentials) ? 'allowed' : 'refused';
  return keys !== undefined && isAuthorized(keys, 'admin', metadata.name, credentials) ? 'allowed' : 'unknown';
}
