/**
 * What is to be done so that the Runtime hosts of an app what the catalog wants. Pure: levels in, actions out.
 *
 * A version must be hosted before it can get traffic, and is taken out only when it has none. One that is on trial is
 * neither given traffic nor taken out, until the trial is over.
 */
export interface DesiredVersion {
  readonly key: string;
  /** Percent; 0 keeps the version hosted without traffic. */
  readonly weight: number;
}

export interface ObservedVersion {
  readonly key: string;
  readonly weight: number;
  readonly isOnTrial: boolean;
  /** It is on its way out already. */
  readonly isEnding: boolean;
}

export type Action =
  | { readonly kind: 'add'; readonly key: string }
  | { readonly kind: 'set-traffic'; readonly shares: readonly DesiredVersion[] }
  | { readonly kind: 'remove'; readonly key: string }
  /** Nobody wants the app any more. */
  | { readonly kind: 'remove-all' };

/** The next actions for one app, in order. An app that nobody wants any more desires no versions. */
export function planVersions(desired: readonly DesiredVersion[], observed: readonly ObservedVersion[]): Action[] {
  const present = new Map(observed.filter(({ isEnding }) => !isEnding).map((version) => [version.key, version]));
  if (desired.length === 0) {
    const isPresent = [...present.values()].some(({ isOnTrial }) => !isOnTrial);
    return isPresent ? [{ kind: 'remove-all' }] : [];
  }
  const wanted = new Map(desired.map((version) => [version.key, version]));
  const added = desired.filter(({ key }) => !present.has(key));
  const isShifted = desired.some(({ key, weight }) => weight !== (present.get(key)?.weight ?? 0));
  const serving = desired.filter(({ weight }) => weight > 0);
  const gone = [...present.values()].filter(({ key, isOnTrial }) => !wanted.has(key) && !isOnTrial);
  return [
    ...added.map(({ key }): Action => ({ kind: 'add', key })),
    ...(isShifted && serving.length > 0 ? [{ kind: 'set-traffic', shares: serving } as const] : []),
    ...gone.map(({ key }): Action => ({ kind: 'remove', key })),
  ];
}
