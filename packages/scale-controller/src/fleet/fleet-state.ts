/** What a controller knows of the Runtimes and placeholders that it may use. */
import type { ApplicationDefinition, Stack } from '@switchyard/model';

/** A Runtime that takes workers. */
export interface RuntimePlace {
  readonly runtimeId: string;
  /** Where its workers dial. */
  readonly endpoint: string;
  readonly region: string | undefined;
  readonly maxWorkers: number;
  /** Workers and placeholders that hang on it. */
  readonly connectedCount: number;
  /** Tenants whose apps it hosts. */
  readonly tenantIds: readonly string[];
  /** The one tenant that it is for; undefined when anybody's apps may come. */
  readonly dedicatedTo: string | undefined;
  readonly state: 'ready' | 'draining' | 'lost';
}

/** A warm worker without an app. */
export interface PlaceholderPlace {
  readonly workerId: string;
  readonly stack: Stack;
  /** The Runtime that it hangs on. */
  readonly runtimeId: string;
  /** Since when it has waited. */
  readonly warmSinceMs: number;
}

/** An app that wants workers. */
export interface FleetRequest {
  readonly application: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  readonly region: string | undefined;
  /** `dedicated`: no other tenant's app may share its Runtimes. */
  readonly isolation: 'shared' | 'dedicated';
  /** Whether its workers may come from, and go to, other Runtimes. */
  readonly affinity: 'none' | 'preferred' | 'strict';
  /** Runtimes that serve the app now, the one with its listeners first. */
  readonly homes: readonly string[];
  readonly count: number;
}
