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
  { sdk: 'jose', folders: ['packages/identity/src/jose/'] },
  { sdk: 'yazl', folders: ['packages/cli/src/packing/'] },
  { sdk: 'yauzl', folders: ['packages/sidecar/src/packages/'] },
  { sdk: 'pino', folders: ['packages/telemetry/src/'] },
];
