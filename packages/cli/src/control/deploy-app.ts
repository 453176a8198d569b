/** A package on its way to a version that serves: every step goes through the control API and is told as it happens. */
import type { DeploymentStep, StackRequest, StatusView } from '@switchyard/protocol/control-api';
import type { PackedFolder } from '../packing/pack-folder.ts';
import type { ControlClient, EventOf } from './control-client.ts';
import { controlErrors } from './errors.ts';
import { followEvents } from './follow-events.ts';
import { isNotFound, toProblemError } from './problem-error.ts';

/** The tenant of a new app when nobody names one. */
export const defaultTenant = 'default';

export interface DeployRequest {
  readonly app: string;
  readonly tenantId: string | undefined;
  readonly message: string | undefined;
  /** Set before the version starts; empty for none. */
  readonly settings: ReadonlyMap<string, string>;
  /** What this version runs on, where the user said so. */
  readonly stack: StackRequest | undefined;
  /** What a new app runs on. */
  readonly findStack: () => Promise<StackRequest>;
  readonly packed: PackedFolder;
  /** Where the package is. */
  readonly file: string;
  /** False leaves the version without traffic. */
  readonly promote: boolean;
}

/** What there is to tell while an app is deployed. */
export type DeployProgress =
  | { readonly kind: 'created'; readonly app: string; readonly tenantId: string; readonly stack: StackRequest }
  | { readonly kind: 'settings'; readonly count: number }
  | { readonly kind: 'uploaded'; readonly isNew: boolean }
  | { readonly kind: 'started'; readonly deploymentId: string; readonly codeVersion: string }
  | { readonly kind: 'step'; readonly step: DeploymentStep }
  | { readonly kind: 'lost'; readonly reason: string };

export interface DeployedVersion {
  readonly codeVersion: string;
  readonly status: StatusView;
}

/** Deploys a package. Rejects with what keeps it from serving; what ran before runs on then. */
export async function deployApp(
  client: ControlClient,
  request: DeployRequest,
  tell: (progress: DeployProgress) => void,
  signal: AbortSignal,
): Promise<DeployedVersion> {
  const { app, settings, packed, file, stack, message, promote } = request;
  const path = { app };
  await ensureApp(client, request, tell, signal);
  if (settings.size > 0) {
    await client.call('patchSettings', { path, body: { set: Object.fromEntries(settings) }, signal });
    tell({ kind: 'settings', count: settings.size });
  }
  await upload(client, packed, file, tell, signal);
  const body = {
    sha256: packed.sha256,
    ...(stack === undefined ? {} : { stack }),
    ...(message === undefined ? {} : { message }),
    ...(promote ? {} : { promote }),
  };
  const started = await client.call('createDeployment', { path, body, signal });
  tell({ kind: 'started', ...started });
  await watchDeployment(client, request, started.deploymentId, tell, signal);
  const status = await client.call('getStatus', { path, signal });
  return { codeVersion: started.codeVersion, status };
}

/** Creates the app when it is not there; an app that is keeps its stack, and its tenant unless another one is named. */
async function ensureApp(
  client: ControlClient,
  request: DeployRequest,
  tell: (progress: DeployProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { app, tenantId } = request;
  const path = { app };
  const present = await client.call('getApplication', { path, signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (present === undefined) {
    const stack = request.stack ?? (await request.findStack());
    const created = { tenantId: tenantId ?? defaultTenant, stack };
    await client.call('putApplication', { path, body: created, signal });
    tell({ kind: 'created', app, ...created });
  } else if (tenantId !== undefined && tenantId !== present.tenantId) {
    // Whether an app may change hands is for the platform to say.
    await client.call('putApplication', { path, body: { tenantId }, signal });
  }
}

async function upload(
  client: ControlClient,
  { sha256, sizeBytes }: PackedFolder,
  file: string,
  tell: (progress: DeployProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const isStored = await client.hasPackage(sha256, signal);
  const isNew = !isStored && (await client.putPackage(sha256, { path: file, sizeBytes }, signal)).isNew;
  tell({ kind: 'uploaded', isNew });
}

async function watchDeployment(
  client: ControlClient,
  { app, promote }: DeployRequest,
  id: string,
  tell: (progress: DeployProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  let seen = 0;
  const connect = () =>
    after(seen, client.events('getDeployment', { path: { app, id }, query: { watch: '' }, signal }));
  const onLost = (reason: string) => tell({ kind: 'lost', reason });
  for await (const event of followEvents(client, connect, { signal, onLost })) {
    if (event.name === 'failed') throw toProblemError(event.data, 500);
    const step = event.data;
    seen += 1;
    if (step.name === 'failed') throw failure(app, step);
    tell({ kind: 'step', step });
    if (step.name === (promote ? 'promoted' : 'ready')) return;
  }
}

/** A connection begins with the steps so far. */
async function* after(
  seen: number,
  events: AsyncIterable<EventOf<'getDeployment'>>,
): AsyncGenerator<EventOf<'getDeployment'>, void, undefined> {
  let at = 0;
  for await (const event of events) {
    at += 1;
    if (at > seen) yield event;
  }
}

function failure(app: string, { problem, message }: DeploymentStep): Error {
  const known = problem === undefined ? message : `${problem.message} ${problem.fix}`.trimEnd();
  const reason = known === undefined || known === '' ? 'the platform does not say why.' : known;
  return controlErrors.create('DEPLOYMENT_FAILED', { app, reason });
}
