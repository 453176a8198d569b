import type { ApplicationDefinition, HostJson, SettingsView, Stack } from '@switchyard/model';
import type { StoredIndex } from '@switchyard/runtime';

/** A version of an app that was deployed: its files are unpacked, its functions known. Nothing of it changes any more. */
export interface DeployedVersion {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly hostNames: readonly string[];
  readonly stack: Stack;
  /** The folder with its files. */
  readonly directory: string;
  readonly hostJson: unknown;
  readonly host: HostJson;
  readonly index: StoredIndex;
  /** The settings that its workers get. Secrets: never log them. */
  readonly values: ReadonlyMap<string, string>;
  readonly settings: SettingsView;
}

/** Separates the package's part of a codeVersion from the revision of the settings. */
const separator = '.s';

/**
 * The codeVersion that the Runtime and the workers see: a change of settings needs new workers as a change of code does, so
 * it makes a version of its own, and takes over in the same way.
 */
export function effectiveCodeVersion(codeVersion: string, settingsRevision: number): string {
  return `${codeVersion}${separator}${settingsRevision}`;
}

/** The package's part of an effective codeVersion. */
export function packageVersionOf(effective: string): string {
  const at = effective.indexOf(separator);
  return at < 0 ? effective : effective.slice(0, at);
}

/** One text for all three parts. */
export function versionKey({ applicationId, metadataVersion, codeVersion }: ApplicationDefinition): string {
  return `${applicationId}:${metadataVersion}:${codeVersion}`;
}
