/**
 * A change of settings that a running worker takes without a restart: a FunctionEnvironmentReloadRequest without a folder. The
 * official workers forget their functions then, so nobody sends it to a worker that does not say that it can take it, with
 * an app that says that it looks at its settings when it needs them.
 */
import { createHash } from 'node:crypto';

/** What a worker advertises that takes such a request, and keeps its functions and its calls. */
export const environmentUpdateCapability = 'HandlesEnvironmentUpdate';

/** What an app advertises (`app.setup`) that reads its settings at each use, and keeps none of them. */
export const readsSettingsCapability = 'ReadsSettingsAtUse';

/** The custom property of the answer that says what the worker's environment is by then: `<nonce>:<digest>`. */
export const environmentDigestProperty = 'environmentDigest';

/** Tells environments apart, and tells nobody what stands in them. The order of the variables is of no matter. */
export function digestEnvironment(nonce: string, variables: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256').update(nonce);
  for (const [name, value] of [...variables].sort(([left], [right]) => (left < right ? -1 : 1)))
    hash.update(`\0${name.length}:${name}=${value.length}:${value}`);
  return `${nonce}:${hash.digest('hex')}`;
}

/** True when the worker that gave this digest has these variables. */
export function isDigestOf(digest: string, variables: ReadonlyMap<string, string>): boolean {
  const [nonce = ''] = digest.split(':', 1);
  return nonce !== '' && digest === digestEnvironment(nonce, variables);
}
