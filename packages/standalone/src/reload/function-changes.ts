import type { FunctionStatus, JobHostStatus } from '@switchyard/runtime';

/** What a new version does that the one before did not. */
export interface FunctionChanges {
  readonly added: readonly FunctionStatus[];
  /** Functions that are there no more, by name. */
  readonly removed: readonly string[];
}

/** Compares two versions of an app by the names of their functions. */
export function compareFunctions(before: JobHostStatus | undefined, now: JobHostStatus): FunctionChanges {
  const names = (status: JobHostStatus | undefined): Set<string> =>
    new Set(status?.functions.map(({ name }) => name) ?? []);
  const [old, current] = [names(before), names(now)];
  return {
    added: now.functions.filter(({ name }) => !old.has(name)),
    removed: [...old].filter((name) => !current.has(name)),
  };
}

/**
 * Why a version may not take the place of the one that serves: it has no functions, unless that is meant (`mayBeEmpty`), or breaks
 * one that works now. Undefined when it may.
 */
export function findRegression(
  serving: JobHostStatus | undefined,
  next: JobHostStatus,
  mayBeEmpty: boolean,
): string | undefined {
  if (next.functions.length === 0 && next.rejected.length === 0) {
    const isLoss = !mayBeEmpty && (serving === undefined || serving.functions.length > 0);
    return isLoss ? (next.error ?? 'The app has no functions any more.') : undefined;
  }
  const broken = brokenFunctions(next);
  const working = workingFunctions(serving);
  const lost = [...broken].filter(([name]) => working.has(name)).map(([, reason]) => reason);
  if (lost.length > 0) return lost.join('\n');
  return next.functions.length === 0 && working.size > 0 ? [...broken.values()].join('\n') : undefined;
}

/** What is wrong with functions that cannot run, by name. */
function brokenFunctions({ rejected, unloaded = [] }: JobHostStatus): ReadonlyMap<string, string> {
  return new Map([
    ...rejected.map(({ name, reason }): [string, string] => [name, `${name}: ${reason}`]),
    ...unloaded.map(({ name, message, stack }): [string, string] => [
      name,
      stack.includes(message) ? stack : `${message}\n${stack}`,
    ]),
  ]);
}

function workingFunctions(status: JobHostStatus | undefined): ReadonlySet<string> {
  const broken = new Set(status?.unloaded?.map(({ name }) => name) ?? []);
  return new Set(status?.functions.map(({ name }) => name).filter((name) => !broken.has(name)) ?? []);
}
