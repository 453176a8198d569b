/**
 * The control plane inside `switchyard up`: all seven workers over this installation.
 *
 * Every tenant that has an app gets its default environment, and what is deployed becomes a deployment that the worker
 * rolls out: `promote` is what the deployer calls where it used to move the traffic itself.
 *
 * Ownership: whoever opens it closes it, before the Runtime and the catalog that it acts on.
 */
import {
  type ControlPlane,
  createDefaultEnvironment,
  type DeploymentRecord,
  type DomainApi,
  defaultEnvironmentId,
  type PostgresqlConnection,
  type WorkerName,
  workerNames,
} from '@switchyard/control-plane';
import { messageOf, sleep, systemClock, type Timer } from '@switchyard/kernel';
import type { ServiceSpec } from '@switchyard/protocol/control-api';
import type { Runtime } from '@switchyard/runtime';
import type { AppHosting } from '../up/versions/app-hosting.ts';
import { targetErrors } from './errors.ts';
import { createLoadTelemetry } from './load-telemetry.ts';
import { type ControlPlaneScope, openControlPlane, openControlStores } from './open-control-plane.ts';
import type { SwitchyardPlatform } from './platform-port.ts';
import { type AppScales, createScaleLimits } from './scale-limits.ts';
import { createSwitchyardTarget } from './switchyard-target.ts';

export interface UpControlPlaneParts {
  readonly catalog: SwitchyardPlatform['catalog'];
  readonly deploy: SwitchyardPlatform['deploy'];
  readonly urlOf: SwitchyardPlatform['urlOf'];
  readonly hosting: Pick<AppHosting, 'look' | 'errorOf' | 'latestOf'>;
  readonly runtime: Pick<Runtime, 'status' | 'load' | 'restartWorker' | 'watch'>;
  /** The scale controller: policies and deployments move the limits that it keeps. */
  readonly scale: AppScales;
  /** All seven when left out. */
  readonly workers?: readonly WorkerName[];
  readonly webhooks?: readonly string[];
  readonly postgresql?: ReadonlyMap<string, PostgresqlConnection>;
}

/** What is to be put into service. */
export type Promoted = Pick<DeploymentRecord, 'applicationId' | 'codeVersion' | 'createdBy'>;

export interface UpControlPlane {
  /** For `createControlServer`. */
  readonly domain: DomainApi;
  /**
   * Gives a version that has come up the traffic, as a deployment of its own; rejects when it was rolled back, and with the
   * signal's reason when nobody waits any more (the deployment goes on).
   */
  promote(record: Promoted, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** How often the end of a deployment is looked for, and how long it may take. */
const pollMs = 50;
const longestRollOutMs = 60 * 60_000;

/** What runs at a stop may take so long. */
const stopMs = 5_000;

export async function openUpControlPlane(
  scope: ControlPlaneScope,
  parts: UpControlPlaneParts,
): Promise<UpControlPlane> {
  const { catalog, hosting, runtime } = parts;
  const stores = openControlStores(scope);
  try {
    const target = createSwitchyardTarget({
      ...{ catalog, deploy: parts.deploy, urlOf: parts.urlOf, limits: createScaleLimits(parts.scale) },
      look: (applicationId) => hosting.look(applicationId),
      errorOf: (applicationId) => hosting.errorOf(applicationId),
      runningSettings: (applicationId) => hosting.latestOf(applicationId)?.values,
      status: () => runtime.status(),
      restartWorkers: (applicationId) => restartWorkers(runtime, applicationId),
    });
    const plane = await openControlPlane(scope, {
      ...{ stores, targets: [target], workers: parts.workers ?? workerNames },
      telemetry: createLoadTelemetry((applicationId) => runtime.load(applicationId)),
      ...(parts.webhooks === undefined ? {} : { webhooks: parts.webhooks }),
      ...(parts.postgresql === undefined ? {} : { postgresql: parts.postgresql }),
    });
    const tenants = watchTenants(scope, catalog, plane);
    const stopSweeping = sweepOnChange(parts, plane);
    const { store, bus } = stores;
    return {
      domain: { view: plane.state, commands: plane.commands, store, deadLetters: bus.deadLetters },
      promote: (record, signal) => promote({ catalog, plane, tenants }, record, signal),
      close: async () => {
        stopSweeping();
        tenants.stop();
        await plane.stop(stopMs);
        await stores.close();
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

interface TenantWatch {
  /** Resolves when the tenant has its default environment. */
  ensure(tenantId: string): Promise<void>;
  stop(): void;
}

function watchTenants(
  { log }: ControlPlaneScope,
  catalog: SwitchyardPlatform['catalog'],
  { state }: ControlPlane,
): TenantWatch {
  const ensured = new Map<string, Promise<void>>();
  const make = async (tenantId: string): Promise<void> => {
    if ((await state.get('environment', defaultEnvironmentId(tenantId))) !== undefined) return;
    await state.commit({ puts: createDefaultEnvironment(tenantId), removes: [], events: [] });
  };
  const ensure = (tenantId: string): Promise<void> => {
    const known = ensured.get(tenantId) ?? make(tenantId);
    ensured.set(tenantId, known);
    known.catch((error: unknown) => {
      ensured.delete(tenantId);
      log.write('warning', 'A tenant has no environment yet', { tenantId, reason: messageOf(error) });
    });
    return known;
  };
  const stop = catalog.watch((applicationId) => {
    const tenantId = catalog.applications.get(applicationId)?.tenantId;
    // What goes wrong is logged above, and tried again with the next change.
    if (tenantId !== undefined) ensure(tenantId).catch(() => {});
  });
  return { ensure, stop };
}

/** Changes that come together are looked at together. */
const sweepDelayMs = 250;

/** What changes here is seen at once, not at the next sweep: by hand, by the API, or because an app broke. */
function sweepOnChange({ catalog, runtime }: UpControlPlaneParts, plane: ControlPlane): () => void {
  let timer: Timer | undefined;
  const sweepSoon = (): void => {
    timer ??= systemClock.schedule(sweepDelayMs, () => {
      timer = undefined;
      void plane.look('inventory', 'switchyard');
    });
  };
  const leaves = [catalog.watch(sweepSoon), runtime.watch(sweepSoon)];
  return () => {
    timer?.cancel();
    for (const leave of leaves) leave();
  };
}

interface PromoteParts {
  readonly catalog: SwitchyardPlatform['catalog'];
  readonly plane: ControlPlane;
  readonly tenants: TenantWatch;
}

async function promote(
  { catalog, plane: { commands, state }, tenants }: PromoteParts,
  { applicationId, codeVersion, createdBy }: Promoted,
  signal: AbortSignal,
): Promise<void> {
  const tenantId = catalog.applications.get(applicationId)?.tenantId;
  if (tenantId === undefined) return;
  await tenants.ensure(tenantId);
  const by = { subject: createdBy };
  await commands.ensureService(looseService(applicationId, tenantId, codeVersion), by);
  const { deploymentId } = await commands.deploy({ serviceId: applicationId, version: codeVersion }, by);
  const untilMs = systemClock.now() + longestRollOutMs;
  while (systemClock.now() < untilMs) {
    const deployment = await state.get('deployment', deploymentId);
    if (deployment === undefined || deployment.state === 'completed') return;
    if (deployment.state === 'failed' || deployment.state === 'rolled-back') {
      const reason = deployment.reason ?? deployment.state;
      throw targetErrors.create('ROLL_OUT_FAILED', { applicationId, codeVersion, reason });
    }
    await sleep(systemClock, pollMs, signal);
  }
  throw targetErrors.create('ROLL_OUT_FAILED', { applicationId, codeVersion, reason: 'it takes too long' });
}

/** What holds for an app that no manifest names: all the traffic at once, as soon as it has come up. */
function looseService(serviceId: string, tenantId: string, version: string): ServiceSpec {
  return {
    ...{ serviceId, tenantId, environmentId: defaultEnvironmentId(tenantId), computeTarget: 'switchyard', version },
    ...{ limits: { minReplicas: 0, maxReplicas: 100 }, strategy: { kind: 'rolling', batches: 1 }, gateMs: 0 },
    ...{ secretBindings: [], probes: [], dependencies: [], origin: 'deployment' },
  };
}

async function restartWorkers(
  runtime: Pick<Runtime, 'status' | 'restartWorker'>,
  applicationId: string,
): Promise<void> {
  const hosts = runtime.status().filter((host) => host.applicationId === applicationId);
  for (const { workerId } of hosts.flatMap(({ workers }) => workers)) {
    const outcome = await runtime.restartWorker(workerId, { reason: 'the control plane restarts the app' });
    if (outcome.kind !== 'rejected') continue;
    throw targetErrors.create('TARGET_UNSETTLED', { serviceId: applicationId, reason: outcome.reason });
  }
}
