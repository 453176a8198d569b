/** The seven workers, by name. */
import type { Clock, Random } from '@switchyard/kernel';
import type { WorkerName } from '@switchyard/protocol/control-api';
import type { Worker } from '../frame/contract.ts';
import type { ComputeTargets } from '../targets/contract.ts';
import type { Vault } from '../targets/vault.ts';
import { ConfigurationWorker } from './configuration/configuration-worker.ts';
import { DeploymentWorker } from './deployment/deployment-worker.ts';
import type { DesiredStateReader } from './drift/desired-state.ts';
import { DriftWorker } from './drift/drift-worker.ts';
import { HealthWorker } from './health/health-worker.ts';
import type { ProbeKinds } from './health/probe-runner.ts';
import { InventoryWorker } from './inventory/inventory-worker.ts';
import { ScalingWorker, type Telemetry } from './scaling/scaling-worker.ts';
import type { RotationTargets } from './secrets/rotation-target.ts';
import { SecretsWorker } from './secrets/secrets-worker.ts';

/** What the workers act through and see by. */
export interface WorkerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly targets: ComputeTargets;
  readonly vault: Vault;
  readonly probes: ProbeKinds;
  readonly telemetry: Telemetry;
  readonly readDesired: DesiredStateReader;
  readonly rotationTargets: RotationTargets;
}

const makers: { readonly [Name in WorkerName]: (ports: WorkerPorts) => Worker } = {
  deployment: (ports) => new DeploymentWorker(ports),
  health: (ports) => new HealthWorker(ports),
  scaling: (ports) => new ScalingWorker(ports),
  drift: (ports) => new DriftWorker(ports),
  configuration: (ports) => new ConfigurationWorker(ports),
  secrets: (ports) => new SecretsWorker(ports),
  inventory: (ports) => new InventoryWorker(ports),
};

export function createWorkers(ports: WorkerPorts, names: readonly WorkerName[]): readonly Worker[] {
  return names.map((name) => makers[name](ports));
}
