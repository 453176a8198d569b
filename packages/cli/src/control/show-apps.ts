/** What `ps` shows. */
import type { ApplicationView, FunctionView, StatusView, Weight } from '@switchyard/protocol/control-api';
import type { ControlClient } from './control-client.ts';
import { describeRoutes } from './function-routes.ts';
import { controlLimits } from './limits.ts';
import { isNotFound } from './problem-error.ts';
import { toCell, toSize, toTable } from './table.ts';

/** An app, and how its traffic is shared. */
export interface ListedApp extends ApplicationView {
  readonly traffic: readonly Weight[];
}

export interface ListOptions {
  readonly tenant: string | undefined;
  readonly signal: AbortSignal;
}

/** All apps that the token may see, in order of name. */
export async function listApps(client: ControlClient, options: ListOptions): Promise<readonly ListedApp[]> {
  const apps = await listPages(client, options);
  const listed: ListedApp[] = [];
  for (let at = 0; at < apps.length; at += controlLimits.parallelRequests) {
    const batch = apps.slice(at, at + controlLimits.parallelRequests);
    listed.push(...(await Promise.all(batch.map((app) => withTraffic(client, app, options.signal)))));
  }
  return listed;
}

async function listPages(client: ControlClient, { tenant, signal }: ListOptions): Promise<readonly ApplicationView[]> {
  const apps: ApplicationView[] = [];
  let after: string | undefined;
  for (let page = 0; page < controlLimits.maxPages; page += 1) {
    const { applications, next } = await client.call('listApplications', {
      path: {},
      query: { tenant, after },
      signal,
    });
    apps.push(...applications);
    if (next === undefined) break;
    after = next;
  }
  return apps;
}

/** An app without a version has no traffic; one that was deleted in the meantime is shown a last time. */
async function withTraffic(client: ControlClient, app: ApplicationView, signal: AbortSignal): Promise<ListedApp> {
  if (app.codeVersion === undefined) return { ...app, traffic: [] };
  const path = { app: app.applicationId };
  const traffic = await client.call('getTraffic', { path, signal }).catch((error: unknown) => {
    if (isNotFound(error)) return { weights: [] };
    throw error;
  });
  return { ...app, traffic: traffic.weights.filter(({ weight }) => weight > 0) };
}

/** One line per app. */
export function describeApps(apps: readonly ListedApp[]): string {
  if (apps.length === 0) return 'There is no app yet. Deploy one: switchyard deploy <folder>\n';
  return toTable(
    ['APP', 'TENANT', 'VERSION', 'STATE', 'WORKERS', 'IN FLIGHT', 'TRAFFIC'],
    apps.map((app) => [
      app.applicationId,
      app.tenantId,
      app.codeVersion ?? '-',
      app.state,
      app.workers,
      app.inFlight,
      describeShares(app.traffic),
    ]),
  );
}

function describeShares(weights: readonly Weight[]): string {
  if (weights.length === 0) return '-';
  if (weights.length === 1) return `${weights[0]?.weight}%`;
  return weights.map(({ codeVersion, weight }) => `${codeVersion}=${weight}`).join(' ');
}

/** Everything about one app. */
export function describeApp({ application, versions, workers, functions, error }: StatusView): string {
  const { applicationId, tenantId, state, stack, urls, inFlight } = application;
  const facts: [string, string][] = [
    ['tenant', tenantId],
    ['state', state],
    ['stack', [stack.runtime, stack.version, stack.architecture].filter((part) => part !== '').join(' ')],
    ['in flight', String(inFlight)],
    ['urls', urls.length === 0 ? '-' : urls.join(' ')],
    ...(error === undefined ? [] : ([['error', error]] as [string, string][])),
  ];
  const head = `App '${applicationId}'\n${facts.map(([name, value]) => `  ${name.padEnd(9)}  ${value}\n`).join('')}`;
  const parts = [
    head,
    versions.length === 0 ? 'No version yet.\n' : versionTable(versions),
    workers.length === 0 ? 'No worker runs.\n' : workerTable(workers),
    functions.length === 0 ? 'No functions.\n' : functionTable(functions, urls[0]),
  ];
  return parts.join('\n');
}

function versionTable(versions: StatusView['versions']): string {
  return toTable(
    ['VERSION', 'TRAFFIC', 'STATE', 'DEPLOYED', 'MESSAGE'],
    versions.map(({ codeVersion, weight, state, createdAt, message, error }) => [
      codeVersion,
      `${weight}%`,
      state,
      createdAt,
      toCell(error ?? message),
    ]),
  );
}

function workerTable(workers: StatusView['workers']): string {
  const isSpread = workers.some(({ runtimeId }) => runtimeId !== undefined);
  return toTable(
    ['WORKER', 'VERSION', 'STATE', 'IN FLIGHT', 'CPU TIME', 'MEMORY', 'LANGUAGE', ...(isSpread ? ['RUNTIME'] : [])],
    workers.map(
      ({ workerId, codeVersion, state, inFlight, cpuMs, memoryBytes, runtimeId, runtimeName, runtimeVersion }) => [
        workerId,
        codeVersion,
        state,
        inFlight,
        cpuMs === undefined ? '-' : `${(cpuMs / 1_000).toFixed(1)} s`,
        memoryBytes === undefined ? '-' : toSize(memoryBytes),
        `${runtimeName} ${runtimeVersion}`.trim(),
        runtimeId ?? '',
      ],
    ),
  );
}

function functionTable(functions: readonly FunctionView[], baseUrl: string | undefined): string {
  return toTable(['FUNCTION', 'TRIGGER', 'WHERE'], describeRoutes(functions, baseUrl));
}
