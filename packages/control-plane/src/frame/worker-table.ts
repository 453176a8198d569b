/** Trigger, retry, idempotency and output of each worker, as the catalogue of the design has them. */
import type { BackoffOptions } from '@switchyard/kernel';
import type { WorkerName } from '@switchyard/protocol/control-api';
import type { WorkerRule } from './contract.ts';

export const workerTable: Readonly<Record<WorkerName, WorkerRule>> = {
  deployment: {
    everyMs: 30_000,
    events: [
      'RuntimeDeploymentRequested',
      'ConfigurationSynced',
      'SecretRotated',
      'RuntimeDriftDetected',
      'DriftRemediationRequested',
    ],
    maxAttempts: 5,
    exhausted: 'dead-letter',
    idempotencyKey: 'deploymentId + step',
    emits: ['RuntimeDeploymentCompleted', 'RuntimeDeploymentRolledBack', 'RuntimeDeploymentFailed'],
  },
  health: {
    everyMs: 30_000,
    events: ['RuntimeDeploymentCompleted', 'RuntimeDeploymentRolledBack', 'RuntimeInventoryUpdated'],
    maxAttempts: 3,
    exhausted: 'next-tick',
    idempotencyKey: 'serviceId + evaluation window',
    emits: ['HealthCheckCompleted', 'AlertRaised', 'AlertCleared'],
  },
  scaling: {
    everyMs: 60_000,
    events: ['HealthCheckCompleted'],
    maxAttempts: 4,
    exhausted: 'next-tick',
    idempotencyKey: 'serviceId + desired replicas',
    emits: ['ScalingPolicyApplied'],
  },
  drift: {
    everyMs: 5 * 60_000,
    events: [
      'RuntimeDeploymentCompleted',
      'RuntimeInventoryUpdated',
      'HealthCheckCompleted',
      'SettingsChanged',
      'DriftAdoptionRequested',
    ],
    maxAttempts: 3,
    exhausted: 'next-tick',
    idempotencyKey: 'environmentId + finding hash',
    emits: ['RuntimeDriftDetected', 'RuntimeDriftResolved'],
  },
  configuration: {
    everyMs: 60_000,
    events: ['ConfigurationPublished', 'SettingsChangeRequested'],
    maxAttempts: 5,
    exhausted: 'dead-letter',
    idempotencyKey: 'configurationId + serviceId',
    emits: ['ConfigurationSynced', 'SettingsChanged'],
  },
  secrets: {
    everyMs: 60_000,
    events: ['SecretRotationRequested'],
    maxAttempts: 5,
    exhausted: 'alert',
    idempotencyKey: 'secretBindingId + vault version',
    emits: ['SecretRotated', 'SecretRetired', 'AlertRaised', 'AlertCleared'],
  },
  inventory: {
    everyMs: 2 * 60_000,
    events: [
      'RuntimeDeploymentCompleted',
      'RuntimeDeploymentRolledBack',
      'RuntimeDeploymentFailed',
      'ScalingPolicyApplied',
    ],
    maxAttempts: 3,
    exhausted: 'next-tick',
    idempotencyKey: 'serviceId',
    emits: ['RuntimeInventoryUpdated'],
  },
};

/** How waits grow between the tries of a key. */
export const retryBackoff: BackoffOptions = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.5 };

/** Limits of the frame. */
export const frameLimits = {
  /** Events that may follow from one another before the last is taken for a loop. */
  causationDepth: 32,
  /** How long a lease holds without renewal. */
  leaseMs: 30_000,
  /** How long one action may take. */
  actionMs: 15 * 60_000,
  /** Actions of one run; a plan that never rests is a fault of the worker. */
  actionsPerRun: 200,
  /** Keys of one worker that are looked at at once. */
  concurrency: 16,
  /** Keys that wait for their time. */
  waitingKeys: 100_000,
} as const;
