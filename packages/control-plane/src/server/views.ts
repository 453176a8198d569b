/** What the catalog holds and the platform shows, as the API writes it. */
import type {
  ApplicationView,
  Deployment,
  DeploymentStep,
  StatusView,
  TrafficView,
  VersionView,
} from '@switchyard/protocol/control-api';
import type { Application, Catalog, DeploymentRecord, StepRecord, TrafficState, Version } from '../catalog/contract.ts';
import type { PlatformOperations, PlatformStatus } from './contract.ts';

interface Sources {
  readonly catalog: Catalog;
  readonly platform: PlatformOperations;
}

/** ISO 8601 in UTC with milliseconds. */
export function toTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function toApplicationView(
  { catalog, platform }: Sources,
  application: Application,
  status: PlatformStatus = platform.status(application.applicationId),
): ApplicationView {
  const { applicationId, tenantId, hostNames, stack, revision, createdAtMs } = application;
  const [first] = [...catalog.traffic.get(applicationId).weights].sort((left, right) => right.weight - left.weight);
  return {
    applicationId,
    tenantId,
    hostNames: [...hostNames],
    stack,
    revision,
    createdAt: toTime(createdAtMs),
    state: status.state,
    ...(first === undefined ? {} : { codeVersion: first.codeVersion }),
    workers: status.workers.length,
    inFlight: status.workers.reduce((sum, { inFlight }) => sum + inFlight, 0),
    urls: [...status.urls],
  };
}

export function toStatusView(sources: Sources, application: Application): StatusView {
  const { catalog, platform } = sources;
  const { applicationId } = application;
  const status = platform.status(applicationId);
  const traffic = catalog.traffic.get(applicationId);
  return {
    application: toApplicationView(sources, application, status),
    trafficRevision: traffic.revision,
    versions: catalog.versions.list(applicationId).map((version) => toVersionView(version, traffic)),
    workers: [...status.workers],
    functions: [...status.functions],
    ...(status.error === undefined ? {} : { error: status.error }),
  };
}

export function toTrafficView({ revision, weights, setAtMs, reason }: TrafficState): TrafficView {
  return { revision, weights: [...weights], setAt: toTime(setAtMs), reason };
}

export function toDeploymentView(record: DeploymentRecord): Deployment {
  const { createdAtMs, steps, ...same } = record;
  return { ...same, createdAt: toTime(createdAtMs), steps: steps.map(toStepView) };
}

export function toStepView({ atMs, ...same }: StepRecord): DeploymentStep {
  return { ...same, at: toTime(atMs) };
}

function toVersionView({ codeVersion, status, createdAtMs, message }: Version, traffic: TrafficState): VersionView {
  return {
    codeVersion,
    ...(status.kind === 'indexed' ? { metadataVersion: status.metadataVersion } : {}),
    state: status.kind,
    weight: traffic.weights.find((weight) => weight.codeVersion === codeVersion)?.weight ?? 0,
    createdAt: toTime(createdAtMs),
    message,
    ...(status.kind === 'failed' ? { error: status.reason } : {}),
  };
}
