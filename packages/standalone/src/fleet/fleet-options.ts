/** What the fleet asks of the provider of Runtimes, and its waits. */

/** An app has no place, or too few workers for want of one. */
export interface RuntimeNeed {
  readonly applicationId: string;
  readonly region: string | undefined;
  readonly reason: string;
}

export interface FleetRuntimeOptions {
  /** How long a new app may wait for a Runtime to be started. */
  readonly placeMs: number;
  /** After so long without workers an app leaves a Runtime that is not its home. */
  readonly leaveMs: number;
  /** How long after a start it is waited for the Runtime that an app was on before. */
  readonly returnMs: number;
  readonly drainMs: number;
}

export const fleetRuntimeDefaults: FleetRuntimeOptions = {
  placeMs: 30_000,
  leaveMs: 10_000,
  returnMs: 30_000,
  drainMs: 30_000,
};
