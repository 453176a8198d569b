/**
 * The control plane inside `switchyard up`: all seven workers over this installation.
 *
 * Every tenant that has an app gets its default environment, and what is deployed becomes a deployment that the worker
 * rolls out: `promote` is what the deployer calls where it used to move the traffic itself.
 *
 * Ownership: whoever opens it closes it, before the Runtime and the catalog that it acts on.
 */
import {
  type AppRequests,
  type ComputeTarget,
  type ControlPlane,
  createAppRequests,
  type DomainApi,
  type PostgresqlConnection,
  type Telemetry,
} from '@switchyard/control-plane';
import { systemClock, systemRandom, type Timer } from '@switchyard/kernel';
import { type WorkerName, workerNames } from '@switchyard/protocol/control-api';
import type { Runtime } from '@switchyard/runtime';
import type { AppHosting } from '../up/versions/app-hosting.ts';
import { targetErrors } from './errors.ts';
import { createLoadTelemetry } from './load-telemetry.ts';
import { type ControlPlaneScope, openControlPlane, openControlStores } from './open-control-plane.ts';
import type { SwitchyardPlatform } from './platform-port.ts';
import { type Promoted, promote } from './promote.ts';
import { type AppScales, createScaleLimits } from './scale-limits.ts';
import { createSwitchyardTarget } from './switchyard-target.ts';
import { watchTenants } from './watch-tenants.ts';

export interface UpControlPlaneParts {
  readonly catalog: SwitchyardPlatform['catalog'];
  readonly deploy: SwitchyardPlatform['deploy'];
  readonly urlOf: SwitchyardPlatform['urlOf'];
  readonly hosting: Pick<AppHosting, 'look' | 'errorOf' | 'servingOf'>;
  readonly runtime: Pick<Runtime, 'status' | 'load' | 'restartWorker' | 'watch'>;
  /** The scale controller: policies and deployments move the limits that it keeps. */
  readonly scale: AppScales;
  /** All seven when left out. */
  readonly workers?: readonly WorkerName[] | undefined;
  /** Shared with workers that run elsewhere, instead of the embedded bus. */
  readonly natsServers?: readonly string[] | undefined;
  /** Where the key of the vault is; in the data folder when left out. */
  readonly vaultKey?: string | undefined;
  readonly webhooks?: readonly string[];
  readonly postgresql?: ReadonlyMap<string, PostgresqlConnection>;
}

export interface UpControlPlane {
  /** For `createControlServer`. */
  readonly domain: DomainApi;
  readonly requests: AppRequests;
  readonly target: { readonly compute: ComputeTarget; readonly telemetry: Telemetry };
  /**
   * Gives a version that has come up the traffic, as a deployment of its own; rejects when it was rolled back, and with the
   * signal's reason when nobody waits any more (the deployment goes on).
   */
  promote(record: Promoted, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What runs at a stop may take so long. */
const stopMs = 5_000;

export async function openUpControlPlane(
  scope: ControlPlaneScope,
  parts: UpControlPlaneParts,
): Promise<UpControlPlane> {
  const { catalog, hosting, runtime } = parts;
  const { directory, environment } = scope;
  const storeUrl = environment.SWITCHYARD_STORE_URL;
  const stores = await openControlStores({ directory, storeUrl, natsServers: parts.natsServers });
  try {
    const target = createSwitchyardTarget({
      ...{ catalog, deploy: parts.deploy, urlOf: parts.urlOf, limits: createScaleLimits(parts.scale) },
      look: (applicationId) => hosting.look(applicationId),
      errorOf: (applicationId) => hosting.errorOf(applicationId),
      servingOf: (applicationId) => hosting.servingOf(applicationId),
      status: (applicationId) => runtime.status(applicationId),
      restartWorkers: (applicationId) => restartWorkers(runtime, applicationId),
    });
    const telemetry = createLoadTelemetry((applicationId) => runtime.load(applicationId));
    const plane = await openControlPlane(scope, {
      ...{ stores, targets: [target], workers: parts.workers ?? workerNames, telemetry },
      ...{ vaultKey: parts.vaultKey, mayMakeKey: true },
      ...(parts.webhooks === undefined ? {} : { webhooks: parts.webhooks }),
      ...(parts.postgresql === undefined ? {} : { postgresql: parts.postgresql }),
    });
    const tenants = watchTenants(scope, catalog, plane);
    const stopSweeping = sweepOnChange(parts, plane);
    const { store, bus } = stores;
    const { state: view, commands, vault, look } = plane;
    const ensureTenant = (tenantId: string): Promise<void> => tenants.ensure(tenantId);
    return {
      requests: createAppRequests({
        ...{ clock: systemClock, random: systemRandom, catalog, view, commands, vault, ensureTenant, look },
      }),
      target: { compute: target, telemetry },
      domain: { view, commands, store, deadLetters: bus.deadLetters },
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

async function restartWorkers(
  runtime: Pick<Runtime, 'status' | 'restartWorker'>,
  applicationId: string,
): Promise<void> {
  const hosts = runtime.status(applicationId);
  for (const { workerId } of hosts.flatMap(({ workers }) => workers)) {
    const outcome = await runtime.restartWorker(workerId, { reason: 'the control plane restarts the app' });
    if (outcome.kind !== 'rejected') continue;
    throw targetErrors.create('TARGET_UNSETTLED', { serviceId: applicationId, reason: outcome.reason });
  }
}
