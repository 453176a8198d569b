import type { AppKeys } from './app-keys.ts';

/** Where the keys of apps are kept. The store above it has one writer at a time. */
export interface KeyVault {
  /** Where they are, for people. */
  readonly place: string;
  /** Undefined when the app has none yet. Rejects when what is there is not understood; it stays as it is. */
  read(applicationId: string): Promise<AppKeys | undefined>;
  write(applicationId: string, keys: AppKeys): Promise<void>;
}
