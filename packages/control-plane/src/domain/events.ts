/** The events of the control plane: commands as VerbNoun requests, facts in the past tense. */
export const eventTypes = [
  'RuntimeDeploymentRequested',
  'RuntimeDeploymentCompleted',
  'RuntimeDeploymentRolledBack',
  'RuntimeDeploymentFailed',
  'HealthCheckCompleted',
  'AlertRaised',
  'AlertCleared',
  'ScalingPolicyApplied',
  'RuntimeDriftDetected',
  'RuntimeDriftResolved',
  'DriftRemediationRequested',
  'DriftAdoptionRequested',
  'SettingsChangeRequested',
  'SettingsChanged',
  'ConfigurationPublished',
  'ConfigurationSynced',
  'SecretRotationRequested',
  'SecretRotated',
  'SecretRetired',
  'RuntimeInventoryUpdated',
] as const;

export type EventType = (typeof eventTypes)[number];

/** Which record an event is about. References and facts only: no payload holds a secret or a value of a setting. */
export interface EventPayload {
  readonly serviceId?: string;
  readonly deploymentId?: string;
  readonly configurationId?: string;
  readonly secretBindingId?: string;
  readonly findingId?: string;
  readonly computeTarget?: string;
  readonly [detail: string]: unknown;
}

/** A text of the payload; undefined when it is missing or something else. */
export function payloadText(payload: unknown, name: string): string | undefined {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return undefined;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : undefined;
}
