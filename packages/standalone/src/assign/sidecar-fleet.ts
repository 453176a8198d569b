/**
 * Workers whose sidecars answer over HTTP, wherever they run, as what a scale-out takes placeholders from: those that hang on a
 * Runtime, and those that hang on none yet.
 *
 * I1 What is known of a worker is what its sidecar says at that moment; one that does not answer is not there.
 * I2 A worker that hangs on another Runtime is moved by its assignment: its sidecar leaves the one before it joins the other.
 * I3 Nothing is ended from here: a sidecar whose assignment fails ends by itself once its worker has seen the app.
 */
import type { Secret } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { AppContent, Assignment } from '@switchyard/protocol';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { assignOverHttp, type FleetActions, type FleetView, type RuntimePlace } from '@switchyard/scale-controller';
import { z } from 'zod';
import { assignErrors } from './errors.ts';

/** An app, as its workers are told of it. */
export interface AssignedApp {
  readonly application: ApplicationDefinition;
  readonly tenantId: string;
  readonly content: AppContent;
  readonly settings: ReadonlyMap<string, string>;
}

/** A worker as its sidecar tells of it. */
export interface SeenWorker {
  readonly url: string;
  readonly workerId: string;
  readonly stack: Stack;
  /** The Runtime that it hangs on; empty while it hangs on none. */
  readonly endpoint: string;
  /** Its app and whose that is; undefined while it waits for one. */
  readonly serves: { readonly applicationId: string; readonly tenantId: string } | undefined;
  /** It is warm, and may take an app. */
  readonly isWaiting: boolean;
}

export interface SidecarFleetDeps {
  readonly exchange: HttpExchange;
  /** Lets one assignment in to the sidecar of this worker. */
  readonly assignToken: (workerId: string) => Promise<Secret>;
  /** What the worker shows to the Runtime of its app. */
  readonly workerToken: (workerId: string, stack: Stack) => Promise<Secret>;
}

export interface SidecarFleetOptions {
  readonly sidecarUrls: readonly string[];
  readonly app: AssignedApp;
  /** A Runtime that may take the app, though no worker hangs on it yet. */
  readonly home?: string;
  readonly maxWorkersPerRuntime: number;
}

export interface SidecarFleet extends FleetActions {
  /** Every worker whose sidecar answers. */
  look(): Promise<readonly SeenWorker[]>;
}

const healthSchema = z.object({
  state: z.string(),
  data: z.object({
    worker_id: z.string(),
    runtime_endpoint: z.string(),
    application_id: z.string(),
    tenant_id: z.string(),
    is_placeholder: z.boolean(),
    stack: z.object({ runtime: z.string(), version: z.string(), architecture: z.string() }),
  }),
});

export function createSidecarFleet(deps: SidecarFleetDeps, options: SidecarFleetOptions): SidecarFleet {
  const { sidecarUrls, app, home, maxWorkersPerRuntime } = options;
  const seen = new Map<string, SeenWorker>();
  const ask = async (url: string): Promise<SeenWorker | undefined> => {
    const worker = await readWorker(deps.exchange, url).catch(() => undefined);
    if (worker !== undefined) seen.set(worker.workerId, worker);
    return worker;
  };
  const look = async (): Promise<readonly SeenWorker[]> =>
    (await Promise.all(sidecarUrls.map(ask))).filter((worker) => worker !== undefined);
  return {
    look,
    view: async () => toView(await look(), home, maxWorkersPerRuntime),
    async isWaiting(workerId) {
      const known = seen.get(workerId);
      return known !== undefined && (await ask(known.url))?.isWaiting === true;
    },
    reassign: async () => {},
    async assign(workerId, _request, runtimeEndpoint) {
      const toError = (reason: string) => assignErrors.create('ASSIGN_FAILED', { workerId, reason });
      const known = seen.get(workerId);
      if (known === undefined) return { kind: 'refused', error: toError('its sidecar does not answer') };
      const { exchange, assignToken, workerToken } = deps;
      const { application, tenantId, content, settings: environment } = app;
      const token = await workerToken(workerId, known.stack);
      const assignment: Assignment = { application, tenantId, content, environment, runtimeEndpoint, token };
      return await assignOverHttp({ exchange, toError, token: await assignToken(workerId) }, known.url, assignment);
    },
    end: async () => {},
    replenish: async () => {},
  };
}

/** A sidecar that is not well says so by its status, and who it is all the same. */
async function readWorker(exchange: HttpExchange, url: string): Promise<SeenWorker> {
  const { text } = await exchange({ method: 'GET', url: `${url}/health`, headers: {} });
  const { state, data } = healthSchema.parse(JSON.parse(text));
  const { application_id: applicationId, tenant_id: tenantId, stack } = data;
  return {
    ...{ url, stack, workerId: data.worker_id, endpoint: data.runtime_endpoint },
    serves: data.is_placeholder ? undefined : { applicationId, tenantId },
    isWaiting: data.is_placeholder && state === 'warm',
  };
}

function toView(workers: readonly SeenWorker[], home: string | undefined, maxWorkers: number): FleetView {
  const byEndpoint = Map.groupBy(workers, ({ endpoint }) => endpoint);
  if (home !== undefined && !byEndpoint.has(home)) byEndpoint.set(home, []);
  const waiting = workers.filter(({ isWaiting }) => isWaiting);
  return {
    runtimes: [...byEndpoint].map(([endpoint, theirs]) => toPlace(endpoint, theirs, maxWorkers)),
    placeholders: waiting.map(({ workerId, stack, endpoint: runtimeId }) => ({
      ...{ workerId, stack, runtimeId, warmSinceMs: 0 },
    })),
  };
}

function toPlace(endpoint: string, theirs: readonly SeenWorker[], maxWorkers: number): RuntimePlace {
  return {
    ...{ runtimeId: endpoint, endpoint, region: undefined, maxWorkers, connectedCount: theirs.length },
    ...{ tenantIds: [...new Set(theirs.flatMap(({ serves }) => serves?.tenantId ?? []))] },
    ...{ dedicatedTo: undefined, state: 'ready' },
  };
}
