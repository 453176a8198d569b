/** What the search looks at. */
export interface Machine {
  readonly version: string;
  readonly execPath: string;
  readonly platform: string;
  readonly arch: string;
  readonly path: string;
  canRun(platform: string): boolean;
  versionOf(executable: string): string;
}

export type FoundNode =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'missing'; readonly message: string };

export const thisMachine: Machine;

export function findNode24(startDirectory: string, machine?: Machine): FoundNode;
