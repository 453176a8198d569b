/** Third-party packages that appear in one adapter folder each, and nowhere else. */
export interface SdkFolder {
  /** A package name, or a scope with `/*`. */
  readonly sdk: string;
  /** The folders or files that may import it, at run time or as a type. */
  readonly folders: readonly string[];
}

export const sdkFolders: readonly SdkFolder[] = [
  { sdk: '@azure/*', folders: ['packages/triggers/src/azure-storage/'] },
  { sdk: '@opentelemetry/*', folders: ['packages/telemetry/src/'] },
  { sdk: 'pino', folders: ['packages/telemetry/src/'] },
];
