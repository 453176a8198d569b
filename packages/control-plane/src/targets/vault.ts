/** Where secrets are kept: each in versions that are written once and never change. */
import type { Secret } from '@switchyard/kernel';

export interface VaultEntry {
  readonly tenantId: string;
  readonly name: string;
  /** From 1. */
  readonly version: number;
}

export interface Vault {
  /**
   * Keeps a value as this version. When the version is there already, it stays, and its value is the answer: so a rotation
   * that crashed after this goes on with the value that it made before.
   */
  keep(entry: VaultEntry, value: Secret): Promise<Secret>;
  /** Undefined when there is no such version, or it was disabled. */
  read(entry: VaultEntry): Promise<Secret | undefined>;
  /** Takes the value away for good; that the version was there stays known. */
  disable(entry: VaultEntry): Promise<void>;
}
