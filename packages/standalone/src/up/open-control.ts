/** The doors of an installation for people and programs that manage it: control API, scale controller and measurements. */
import type { RequestListener } from 'node:http';
import { createControlServer, type PlatformOperations } from '@switchyard/control-plane';
import { audiences, createControlGuard, createTokenVerifier } from '@switchyard/identity';
import { systemClock } from '@switchyard/kernel';
import type { ScaleController } from '@switchyard/scale-controller';
import type { MetricSnapshot } from '@switchyard/telemetry';
import { openUpControlPlane } from '../control-plane/open-up-control-plane.ts';
import { toSingleRuntime } from '../fleet/single-runtime.ts';
import { createRenewalPage } from '../tokens/renewal-page.ts';
import type { Deployer, DeployerDeps } from './deployer.ts';
import { createMetricsPage } from './metrics/metrics-page.ts';
import { toRuntimeSeries } from './metrics/runtime-series.ts';
import { openScale, openScaler } from './open-scale.ts';
import { createPlatformOperations } from './operations/platform-operations.ts';
import { createRolloutTraffic } from './rollout-traffic.ts';
import { createTenantRule } from './tenant-rule.ts';
import { upDefaults } from './up-options.ts';
import type { UpParts, UpScope } from './up-parts.ts';

export interface Control {
  /** Takes every request on the port of the control API. */
  readonly listener: RequestListener;
  readonly scale: ScaleController;
  /** Where KEDA may ask; undefined when nobody may. */
  readonly scaler: string | undefined;
  /** Gives a version that has come up the traffic. */
  readonly promote: DeployerDeps['promote'];
}

export async function openControl(scope: UpScope, parts: UpParts, deployer: Deployer): Promise<Control> {
  const { options, log, meter, closers, data, stores, sockets } = scope;
  const { catalog, packages, keys, issuer } = stores;
  const { runtime, hosting } = parts;
  const platform = toPlatform(scope, parts, deployer);
  const guard = createControlGuard(createTokenVerifier({ clock: systemClock, keys }, { audience: audiences.control }));
  const { announce, usageOf } = parts.workers;
  const rollouts = createRolloutTraffic(catalog);
  const scale = await openScale({
    ...{ log, meter, closers, traffic: rollouts.traffic, runtime, announce, usageOf },
    ...{ dataFolder: data.path, environment: options.environment, runtimes: options.maxRuntimes ?? 1 },
  });
  parts.fleet?.decidedBy((applicationId) => scale.scaleOf(applicationId), scale.homes);
  const scaler = options.scaler && (await openScaler({ log, closers, runtime }, options.scaler));
  const controlPlane = await openUpControlPlane(
    { log, meter, directory: data.path, environment: options.environment },
    {
      ...{
        catalog,
        hosting,
        runtime,
        scale,
        webhooks: options.webhooks,
        workers: options.workers,
        natsServers: options.natsServers,
        vaultKey: options.vaultKey,
      },
      deploy: (record) => deployer.deploy(record),
      urlOf: (applicationId) => `http://${applicationId}.localhost:${sockets.localGateway.port}`,
    },
  );
  rollouts.open(controlPlane.requests);
  closers.add('control plane', async () => {
    rollouts.close();
    await controlPlane.close();
  });
  const control = createControlServer(
    {
      ...stores,
      platform,
      scale,
      domain: controlPlane.domain,
      requests: controlPlane.requests,
      target: controlPlane.target,
      packages,
      guard,
      publicKeys: () => keys.jwks(),
      clock: systemClock,
      log,
    },
    { defaultArchitecture: process.arch, hostNames: sockets.controlNames },
  );
  closers.add('control API', () => control.drain(upDefaults.controlGraceMs));
  const listener = createMetricsPage({
    guard,
    read: () => measure(scope, parts, scale),
    next: createRenewalPage({
      ...{ keys, issuer, runtime },
      next: (request, response) => control.handleRequest(request, response),
    }),
  });
  return { listener, scale, scaler, promote: (record, signal) => controlPlane.promote(record, signal) };
}

/** What the control API asks of this installation. */
function toPlatform(
  { options, logs, stores: { catalog }, sockets }: UpScope,
  { runtime, fleet, tenancy, processes, hosting, traces, workers }: UpParts,
  deployer: Deployer,
): PlatformOperations {
  return createPlatformOperations({
    clock: systemClock,
    catalog,
    runtime,
    hosting,
    deployer,
    logs,
    traces,
    processes,
    usageOf: workers.usageOf,
    ...(fleet === undefined ? {} : { runtimeIdsOf: (applicationId) => fleet.runtimeIdsOf(applicationId) }),
    runtimes: () => fleet?.list() ?? toSingleRuntime(runtime, options.region),
    tenantProblem: createTenantRule({
      trusted: options.trustedTenants,
      isolation: tenancy.isolation,
      present: () => catalog.applications.list().map(({ tenantId }) => tenantId),
    }),
    gateway: { ...sockets.localGateway, scheme: sockets.scheme, outerPort: sockets.gatewayPort },
  });
}

/** What was counted, and what every app does at the moment. */
async function measure(
  { meter, stores }: UpScope,
  { runtime, fleet, workers }: UpParts,
  scale: ScaleController,
): Promise<MetricSnapshot> {
  const elsewhere = (await fleet?.metrics()) ?? [];
  const { series, dropped } = meter.snapshot();
  const apps = stores.catalog.applications.list();
  const loads = apps.flatMap(({ applicationId }) => runtime.load(applicationId));
  return {
    series: [
      ...series,
      ...elsewhere,
      ...toRuntimeSeries(loads, { usageOf: workers.usageOf, cpuShareOf: scale.cpuShareOf }),
    ],
    dropped,
  };
}
