/** The composition root of `switchyard assign`: gives an app workers that wait, without a scale controller that runs. */
import { mkdir } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { refuseClearTokens } from '@switchyard/identity';
import { Secret, silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { matchStack, openScaleStore, scaleOut } from '@switchyard/scale-controller';
import { readNamedFile } from '../runtime/read-files.ts';
import { openTokens } from '../tokens/issue-token.ts';
import { scaleStoreChoice } from '../up/open-scale.ts';
import { assignErrors } from './errors.ts';
import { type AssignedApp, createSidecarFleet, type SeenWorker } from './sidecar-fleet.ts';

export interface AssignOptions {
  readonly app: AssignedApp;
  readonly count: number;
  /** Where sidecars answer. */
  readonly sidecarUrls: readonly string[];
  /** Where the Runtime of the app takes workers; the one that its workers hang on when left out. */
  readonly runtimeUrl?: string | undefined;
  /** The stack of its workers; what those that it has run on when left out. */
  readonly stack?: { readonly runtime: string; readonly version?: string } | undefined;
  readonly affinity: 'none' | 'strict';
  readonly maxWorkersPerRuntime: number;
  /** The folder of the signing keys. */
  readonly keys: string;
  /** The authorities of the certificates of sidecars, as the path of a file in PEM. */
  readonly authority?: string | undefined;
  /** Sends tokens and settings over a network without TLS. */
  readonly allowClearTokens: boolean;
  /** Where controllers of one machine agree. */
  readonly dataDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface AssignedWorkers {
  /** The workers that serve the app now, and the Runtime that each has left for it. */
  readonly workers: readonly { readonly workerId: string; readonly movedFrom: string | undefined }[];
  readonly runtimeUrl: string;
  readonly missing: number;
  readonly reason: string | undefined;
}

/** Resolves when each worker serves or has failed. Rejects with the catalogue's errors, and when the store cannot be had. */
export async function assignApp(options: AssignOptions): Promise<AssignedWorkers> {
  const { app, count, affinity, dataDirectory, environment } = options;
  const { applicationId } = app.application;
  for (const url of options.sidecarUrls) {
    const refusal = refuseClearTokens(url, { allow: options.allowClearTokens });
    if (refusal !== undefined) throw refusal;
  }
  await mkdir(dataDirectory, { recursive: true });
  const fleet = await openFleet(options);
  const workers = await fleet.look();
  const homes = homesOf(workers, options);
  const [runtimeUrl] = homes;
  if (runtimeUrl === undefined) throw assignErrors.create('ASSIGN_RUNTIME_UNKNOWN', { applicationId });
  const stack = stackOf(workers, options);
  const store = await openScaleStore(scaleStoreChoice(dataDirectory, environment));
  try {
    const deps = { clock: systemClock, log: silentLog, store, fleet, holder: systemRandom.uuid() };
    const { application, tenantId } = app;
    const place = { tenantId, stack, region: undefined, isolation: 'shared', affinity, homes, count } as const;
    const { workerIds, missing, reason } = await scaleOut(deps, { application, ...place });
    const before = new Map(workers.map(({ workerId, endpoint }) => [workerId, endpoint]));
    const movedFrom = (workerId: string): string | undefined => {
      const endpoint = before.get(workerId) ?? '';
      return endpoint === '' || homes.includes(endpoint) ? undefined : endpoint;
    };
    const taken = workerIds.map((workerId) => ({ workerId, movedFrom: movedFrom(workerId) }));
    return { workers: taken, runtimeUrl, missing, reason };
  } finally {
    await store.close();
  }
}

async function openFleet({ app, sidecarUrls, runtimeUrl, maxWorkersPerRuntime, keys, authority }: AssignOptions) {
  const tokens = await openTokens(keys);
  const ca = authority === undefined ? {} : { ca: await readNamedFile(authority, '--sidecar-ca') };
  const { tenantId, application } = app;
  return createSidecarFleet(
    {
      exchange: createHttpExchange({ clock: systemClock, request, plainRequest }, ca),
      assignToken: async (podId) => new Secret(await tokens.issue({ kind: 'assign', podId })),
      workerToken: async (workerId, { runtime: language, version: languageVersion }) => {
        const worker = { workerId, tenantId, application, language, languageVersion, instanceId: '' };
        return new Secret(await tokens.issue({ kind: 'worker', ...worker }));
      },
    },
    { sidecarUrls, app, maxWorkersPerRuntime, ...(runtimeUrl === undefined ? {} : { home: runtimeUrl }) },
  );
}

/** The Runtime that was named, then those that serve the app. */
function homesOf(workers: readonly SeenWorker[], { app, runtimeUrl }: AssignOptions): readonly string[] {
  const serving = workersOf(workers, app).map(({ endpoint }) => endpoint);
  return [...new Set([...(runtimeUrl === undefined ? [] : [runtimeUrl]), ...serving])];
}

function stackOf(workers: readonly SeenWorker[], { app, stack: wanted }: AssignOptions): Stack {
  const { applicationId } = app.application;
  const [serving] = workersOf(workers, app);
  if (wanted === undefined) {
    if (serving !== undefined) return serving.stack;
    throw assignErrors.create('ASSIGN_STACK_UNKNOWN', { applicationId, reason: 'it has no worker yet' });
  }
  const { runtime, version = '' } = wanted;
  const known = workers.map(({ stack }) => stack);
  const match = matchStack({ runtime, version, architecture: '' }, known);
  if (match.kind === 'exact') return match.stack;
  throw assignErrors.create('ASSIGN_STACK_UNKNOWN', { applicationId, reason: match.reason });
}

function workersOf(workers: readonly SeenWorker[], { application: { applicationId } }: AssignedApp) {
  return workers.filter(({ serves }) => serves?.applicationId === applicationId);
}
